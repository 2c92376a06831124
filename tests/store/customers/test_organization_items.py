"""Settings of an organization, and the shards of its lists.

Source: docs/data-model.md, sections 2 and 4.
"""

from collections.abc import Callable

import pytest

from bridge.store import dynamodb, keys
from bridge.store.customers import organization_items
from bridge.store.customers.organization_items import Settings
from tests.store.conftest import Wire

pytestmark = pytest.mark.usefixtures("tables")
Later = Callable[[float], None]


def put(**settings: object) -> None:
    dynamodb.write(dynamodb.put(keys.organization_settings("org_1"), settings))


def test_settings_without_an_item_are_the_defaults() -> None:
    assert organization_items.settings("org_1") == Settings(1, 1, cascade_payments=False)
    assert organization_items.shards("org_1") == range(1)
    assert organization_items.shard_of("org_1", "uid") == 0


def test_settings_return_what_an_operator_wrote() -> None:
    put(read_shards=4, write_shards=2, cascade_payments=True)
    assert organization_items.settings("org_1") == Settings(4, 2, cascade_payments=True)
    assert organization_items.settings("org_2") == Settings()
    assert organization_items.shards("org_1") == range(4)


def test_settings_are_read_once_a_minute(wire: Wire, later: Later) -> None:
    wire.watch("GetItem")
    organization_items.settings("org_1")
    put(read_shards=4)
    later(59)
    assert organization_items.settings("org_1").read_shards == 1
    assert len(wire.requests) == 1
    later(2)
    assert organization_items.settings("org_1").read_shards == 4
    assert len(wire.requests) == 2


def test_shard_of_spreads_records_over_the_write_shards_and_stays_the_same() -> None:
    put(read_shards=4, write_shards=4)
    uids = [f"uid_{number}" for number in range(50)]
    found = [organization_items.shard_of("org_1", uid) for uid in uids]
    assert set(found) == {0, 1, 2, 3}
    assert found == [organization_items.shard_of("org_1", uid) for uid in uids]


def test_shard_of_a_record_without_an_organization_is_0() -> None:
    assert organization_items.shard_of(None, "uid") == 0
