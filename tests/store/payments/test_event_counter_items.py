"""Event counters. Source: docs/payment-correctness.md, rule 14."""

import pytest

from bridge.models.event_counter import EventCounter
from bridge.store.jobs import due_items
from bridge.store.jobs.due_items import Due
from bridge.store.payments import event_counter_items
from tests.store.conftest import NOW

pytestmark = pytest.mark.usefixtures("tables")


def due(until: int = NOW + 10_000) -> list[Due]:
    return [each for shard in due_items.shards() for each in due_items.list_due(shard, until)]


def stored() -> EventCounter:
    found = event_counter_items.get("pay_1")
    assert found
    return found


def test_payment_without_events_has_no_counter() -> None:
    assert event_counter_items.get("pay_1") is None


def test_count_adds_one_and_makes_the_counter_due_now() -> None:
    first = event_counter_items.count("pay_1", NOW)
    second = event_counter_items.count("pay_1", NOW + 3)
    assert (first.received, first.covered, first.due_at) == (1, 0, NOW)
    assert second == stored() == EventCounter(payment_id="pay_1", received=2, due_at=NOW + 3)
    assert due() == [Due("counter", "pay_1", NOW + 3)]


def test_cover_notes_the_check_and_clears_what_is_due() -> None:
    seen = event_counter_items.count("pay_1", NOW)
    event_counter_items.postpone(seen, NOW + 5, NOW)
    assert event_counter_items.cover(seen)
    assert stored() == EventCounter(payment_id="pay_1", received=1, covered=1)
    assert due() == []


def test_event_after_the_check_began_stays_due() -> None:
    seen = event_counter_items.count("pay_1", NOW)
    event_counter_items.count("pay_1", NOW + 1)
    assert not event_counter_items.cover(seen)
    assert stored() == EventCounter(payment_id="pay_1", received=2, due_at=NOW + 1)


def test_postpone_sets_the_next_check_but_not_over_a_newer_event() -> None:
    seen = event_counter_items.count("pay_1", NOW)
    event_counter_items.postpone(seen, NOW + 30, NOW)
    assert (stored().due_at, stored().failing_since) == (NOW + 30, NOW)
    event_counter_items.count("pay_1", NOW + 2)
    event_counter_items.postpone(seen, NOW + 60, NOW)
    assert stored().due_at == NOW + 2


def test_remove_deletes_the_counter_but_not_over_a_newer_event() -> None:
    seen = event_counter_items.count("pay_1", NOW)
    newer = event_counter_items.count("pay_1", NOW)
    event_counter_items.remove(seen)
    assert stored() == newer
    event_counter_items.remove(newer)
    assert event_counter_items.get("pay_1") is None
