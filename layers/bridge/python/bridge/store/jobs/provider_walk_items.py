"""How far the lists of a provider are read: one item for each kind of list.

Source: docs/payment-correctness.md, section 8; docs/data-model.md, section 2.
"""

import msgspec
from msgspec.structs import replace

from bridge.models.model import present_values_of
from bridge.models.provider import ProviderId
from bridge.models.provider_walk import Kind, ProviderWalk
from bridge.store import dynamodb, keys


def get(provider_id: ProviderId, kind: Kind) -> ProviderWalk | None:
    """The walk, strongly consistent. None if these lists were never read."""
    item = dynamodb.get(keys.provider_walk(provider_id, kind))
    return msgspec.convert(item, ProviderWalk) if item else None


def save(walk: ProviderWalk) -> ProviderWalk:
    """Write a walk, if it is still as it was read. Returns it as written.

    Raises VersionConflict if another run reads the same lists. Raises Throttled,
    TemporarilyUnavailable.
    """
    written = replace(walk, version=walk.version + 1)
    key = keys.provider_walk(walk.provider_id, walk.kind)
    guard = dynamodb.condition("attribute_not_exists(#pk) OR #version = :seen", seen=walk.version)
    try:
        dynamodb.write(dynamodb.put(key, present_values_of(written), guard))
    except dynamodb.ConditionFailed as failed:
        raise dynamodb.VersionConflict(key.pk) from failed
    return written
