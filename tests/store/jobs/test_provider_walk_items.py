"""How far a provider's lists are read, as an item. Source: docs/data-model.md, section 2."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from bridge.models.provider_walk import ProviderWalk
from bridge.store import dynamodb, keys
from bridge.store.jobs import provider_walk_items

pytestmark = pytest.mark.usefixtures("tables")
NEW = ProviderWalk(
    provider_id="stripe",
    kind="events",
    since=datetime(2026, 1, 15, 9, tzinfo=UTC),
    until=datetime(2026, 1, 15, 10, tzinfo=UTC),
    is_finished=False,
)


def test_walk_is_read_as_it_was_written() -> None:
    assert provider_walk_items.get("stripe", "events") is None
    first = provider_walk_items.save(NEW)
    assert first == replace(NEW, version=1)
    assert provider_walk_items.get("stripe", "events") == first
    second = provider_walk_items.save(replace(first, position="refunds:1768471808"))
    assert provider_walk_items.get("stripe", "events") == second
    finished = provider_walk_items.save(replace(second, position=None, is_finished=True))
    assert provider_walk_items.get("stripe", "events") == finished


def test_each_kind_of_list_has_its_own_walk() -> None:
    provider_walk_items.save(NEW)
    assert provider_walk_items.get("stripe", "changes") is None


@pytest.mark.parametrize("version", [0, 1])
def test_walk_that_another_run_wrote_meanwhile_raises_version_conflict(version: int) -> None:
    first = provider_walk_items.save(NEW)
    second = provider_walk_items.save(replace(first, position="a"))
    with pytest.raises(dynamodb.VersionConflict):
        provider_walk_items.save(replace(NEW, version=version, position="b"))
    assert provider_walk_items.get("stripe", "events") == second


def test_walk_is_never_due() -> None:
    """It has no place in the index `due`: a schedule goes on with it."""
    provider_walk_items.save(NEW)
    item = dynamodb.get(keys.provider_walk("stripe", "events"))
    assert item
    assert "due_pk" not in item
