"""Settings of an organization. Source: docs/data-model.md, sections 2.1 and 4."""

import zlib
from collections import OrderedDict
from threading import Lock
from typing import NamedTuple

from bridge import clock
from bridge.store import dynamodb, keys

CACHE_S, CACHED_ORGANIZATIONS = 60, 10_000


class Settings(NamedTuple):
    """An operator writes these by hand.

    `read_shards`, `write_shards`: over how many partitions the organization's lists are spread.
    `read_shards` is raised first, and never lowered. `cascade_payments`: the deletion of a customer
    also removes the personal data of its payments.
    """

    read_shards: int = 1
    write_shards: int = 1
    cascade_payments: bool = False


_kept: OrderedDict[str, tuple[Settings, int]] = OrderedDict()
_lock = Lock()


def settings(organization_id: str) -> Settings:
    """Return an organization's settings. They may be a minute old.

    So an operator raises `write_shards` two minutes after `read_shards`.
    """
    now = clock.seconds()
    with _lock:
        kept = _kept.get(organization_id)
    if kept and now < kept[1]:
        return kept[0]
    item = dynamodb.get(keys.organization_settings(organization_id)) or {}
    read = Settings(
        read_shards=int(item.get("read_shards", 1)),
        write_shards=int(item.get("write_shards", 1)),
        cascade_payments=bool(item.get("cascade_payments")),
    )
    with _lock:
        _kept[organization_id] = read, now + CACHE_S
        if len(_kept) > CACHED_ORGANIZATIONS:
            _kept.popitem(last=False)
    return read


def shard_of(organization_id: str | None, uid: str) -> int:
    """Return the shard in which a new record is listed. It is stored on the record."""
    if organization_id is None:
        return 0
    return zlib.crc32(uid.encode()) % settings(organization_id).write_shards


def shards(organization_id: str) -> range:
    """Return all shards in which the organization's records may be listed."""
    return range(settings(organization_id).read_shards)
