"""Events that were handled, and the writes that mark them.

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
from bridge.store.dedupe.webhook_items import EventSeen
from bridge.store.dynamodb import VersionConflict
from bridge.store.payments import payment_items, payment_writes
from tests.conftest import together
from tests.store.conftest import Wire
from tests.store.payments.conftest import changed, entry, inserted

pytestmark = pytest.mark.usefixtures("tables")
EVENT = WebhookEventReference(provider_id="stripe", event_id="evt_1", type="charge.refunded")
OTHER = WebhookEventReference(provider_id="stripe", event_id="evt_2", type="charge.refunded")


def committed(seen: Payment) -> Payment:
    after = changed(seen, status="processing")
    return payment_writes.commit_transition(seen, after, entry(after), None, event=EVENT)


def advanced(seen: Payment) -> Payment:
    return payment_writes.advance(seen, replace(seen, due_at=7), event=EVENT)


each_write = pytest.mark.parametrize("write", [committed, advanced])
Write = Callable[[Payment], Payment]


def stored(event: WebhookEventReference = EVENT) -> dict[str, Any] | None:
    return dynamodb.get(webhook_items.place(event))


def is_seen() -> bool:
    return payment_items.read_for_event(EVENT, clock.seconds())[0]


@each_write
def test_write_and_seen_event_are_one_transaction(write: Write) -> None:
    seen = inserted()
    written = write(seen)
    assert is_seen()
    assert payment_items.get(seen.id) == written


@each_write
def test_second_write_for_one_event_raises_event_seen(write: Write) -> None:
    first = write(inserted())
    with pytest.raises(EventSeen):
        write(first)
    assert payment_items.get(first.id) == first


@each_write
def test_version_conflict_does_not_mark_the_event_as_seen(write: Write) -> None:
    seen = inserted()
    payment_writes.advance(seen, seen)
    with pytest.raises(VersionConflict):
        write(seen)
    assert stored() is None


@each_write
def test_write_with_lost_answer_is_done_once(write: Write, wire: Wire) -> None:
    """DynamoDB knows the request token. moto does not, so it reports the event as seen: it was."""
    seen = inserted()
    wire.lose_answer("TransactWriteItems")
    with pytest.raises(EventSeen):
        write(seen)
    found = payment_items.get(seen.id)
    assert found
    assert found.version == seen.version + 1
    assert is_seen()


def test_concurrent_writes_for_one_event_only_one_is_done() -> None:
    seen = inserted()
    results = together(8, lambda _: advanced(seen))
    assert len([each for each in results if isinstance(each, Payment)]) == 1
    assert all(isinstance(each, Payment | EventSeen) for each in results)


def test_expired_event_can_be_seen_again(later: Callable[[float], None]) -> None:
    first = advanced(inserted())
    later(webhook_items.LIFE_S + 1)
    assert not is_seen()
    assert advanced(first).version == first.version + 1
    assert is_seen()


def test_put_unmatched_keeps_the_first_expiry() -> None:
    webhook_items.put_unmatched(EVENT, 100)
    webhook_items.put_unmatched(EVENT, 200)
    assert stored() == {
        "pk": "W#stripe#evt_1",
        "sk": "W",
        "state": "unmatched",
        "exp": 100 + 30 * 24 * 3600,
    }
    assert stored(OTHER) is None


def test_method_event_is_seen_until_it_expires(later: Callable[[float], None]) -> None:
    event = MethodEventReference(
        provider_id="stripe", event_id="evt_1", type="payment_method.updated", token="pm_1"
    )
    now = clock.seconds()
    assert not webhook_items.was_seen(event, now)
    for at in (now, now + 60):  # by two deliveries at once
        webhook_items.put_seen(event, at)
    exp = now + webhook_items.LIFE_S
    assert stored() == {"pk": "W#stripe#evt_1", "sk": "W", "state": "seen", "exp": exp}
    assert webhook_items.was_seen(event, exp - 1)
    assert not webhook_items.was_seen(event, exp)
    webhook_items.put_seen(event, exp)
    assert webhook_items.was_seen(event, exp)
