"""Events that were handled or counted, and the writes that remember them.

Source: docs/payment-correctness.md, sections 4 and 7.
"""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from bridge import clock
from bridge.models.payment import Payment
from bridge.models.queue_message import MethodEventReference, WebhookEventReference
from bridge.store import dynamodb
from bridge.store.dedupe import webhook_items
from bridge.store.dynamodb import VersionConflict
from bridge.store.payments import payment_items, payment_writes
from tests.store.conftest import Wire
from tests.store.payments.conftest import changed, entry, inserted

pytestmark = pytest.mark.usefixtures("tables")
EVENT = WebhookEventReference(provider_id="stripe", event_id="evt_1", type="charge.refunded")
OTHER = WebhookEventReference(provider_id="stripe", event_id="evt_2", type="charge.refunded")


def committed(seen: Payment) -> Payment:
    after = changed(seen, status="processing")
    return payment_writes.commit_transition(seen, after, [entry(after)], None, event=EVENT)


def advanced(seen: Payment) -> Payment:
    return payment_writes.advance(seen, replace(seen, due_at=7), event=EVENT)


each_write = pytest.mark.parametrize("write", [committed, advanced])
Write = Callable[[Payment], Payment]


def stored(event: WebhookEventReference = EVENT) -> dict[str, Any] | None:
    return dynamodb.get(webhook_items.place(event))


def is_seen() -> bool:
    return webhook_items.is_seen(stored(), clock.seconds())


@each_write
def test_write_and_seen_event_are_one_transaction(write: Write) -> None:
    seen = inserted()
    written = write(seen)
    assert is_seen()
    assert payment_items.get(seen.id) == written


@each_write
def test_second_write_for_one_event_is_done_too(write: Write) -> None:
    """A delivery that comes again only checks again. What it finds must not be lost."""
    first = write(inserted())
    again = write(first)
    assert payment_items.get(first.id) == again
    assert again.version == first.version + 1
    assert is_seen()


@each_write
def test_version_conflict_does_not_mark_the_event_as_seen(write: Write) -> None:
    seen = inserted()
    payment_writes.advance(seen, seen)
    with pytest.raises(VersionConflict):
        write(seen)
    assert stored() is None


def test_event_is_remembered_for_30_days(later: Callable[[float], None]) -> None:
    first = advanced(inserted())
    later(webhook_items.LIFE_S + 1)
    assert not is_seen()
    advanced(first)
    assert is_seen()


def test_event_is_remembered_from_its_last_delivery_on() -> None:
    webhook_items.put_unmatched(EVENT, 100)
    webhook_items.put_unmatched(EVENT, 200)
    exp = 200 + 30 * 24 * 3600
    assert stored() == {"pk": "W#stripe#evt_1", "sk": "W", "state": "unmatched", "exp": exp}
    assert stored(OTHER) is None


def test_counted_event_of_a_payment_is_seen_also_if_it_was_unmatched_before() -> None:
    webhook_items.put_unmatched(EVENT, clock.seconds())
    webhook_items.put_seen(EVENT, clock.seconds())
    assert (stored() or {})["state"] == "seen"
    assert is_seen()
    assert stored(OTHER) is None


def test_method_event_is_seen_until_it_expires(later: Callable[[float], None]) -> None:
    event = MethodEventReference(
        provider_id="stripe", event_id="evt_1", type="payment_method.updated", token="pm_1"
    )
    now = clock.seconds()
    assert not webhook_items.was_seen(event, now)
    for at in (now, now + 60):  # by two deliveries
        webhook_items.put_seen(event, at)
    exp = now + 60 + webhook_items.LIFE_S
    assert stored() == {"pk": "W#stripe#evt_1", "sk": "W", "state": "seen", "exp": exp}
    assert webhook_items.was_seen(event, exp - 1)
    assert not webhook_items.was_seen(event, exp)
    webhook_items.put_seen(event, exp)
    assert webhook_items.was_seen(event, exp)


def test_list_unseen_leaves_out_handled_events_until_they_expire(
    later: Callable[[float], None],
) -> None:
    unmatched = replace(OTHER, event_id="evt_3")
    advanced(inserted())
    webhook_items.put_unmatched(unmatched, clock.seconds())
    events = [OTHER, EVENT, unmatched]
    assert webhook_items.list_unseen(events, clock.seconds()) == [OTHER]
    later(webhook_items.LIFE_S + 1)
    assert webhook_items.list_unseen(events, clock.seconds()) == events


def test_list_unseen_reads_a_page_of_events_in_one_consistent_batch(wire: Wire) -> None:
    wire.watch("BatchGetItem")
    events = [replace(EVENT, event_id=f"evt_{number}") for number in range(100)]
    assert webhook_items.list_unseen(events, clock.seconds()) == events
    (request,) = wire.requests
    (asked,) = request["RequestItems"].values()
    assert asked["ConsistentRead"] is True
    assert webhook_items.list_unseen([], clock.seconds()) == []
    assert len(wire.requests) == 1
