"""Events that were seen, and the writes that they are seen with. Source: convergence.md 4, T2."""

from collections.abc import Callable
from typing import Any

import pytest

from bridge import clock
from bridge.models.payment import Payment
from bridge.models.queue_message import MethodEventReference, WebhookEventReference
from bridge.store import dynamodb
from bridge.store.dedupe import webhook_items
from bridge.store.dedupe.webhook_items import EventSeen
from bridge.store.dynamodb import VersionConflict
from bridge.store.payments import payment_items, payment_writes
from tests.conftest import together
from tests.store.conftest import Wire, payment
from tests.store.payments.test_payment_items import changed, entry, inserted

pytestmark = pytest.mark.usefixtures("tables")
EVENT = WebhookEventReference(provider_id="stripe", event_id="evt_1", type="charge.refunded")
OTHER = WebhookEventReference(provider_id="stripe", event_id="evt_2", type="charge.refunded")


def merged(seen: Payment) -> Payment:
    after = changed(seen, status="processing")
    return payment_writes.commit_transition(seen, after, entry(after), None, event=EVENT)


def bumped(seen: Payment) -> Payment:
    return payment_writes.advance(seen, seen.model_copy(update={"due_at": 7}), event=EVENT)


each_write = pytest.mark.parametrize("write", [merged, bumped])
Write = Callable[[Payment], Payment]


def stored(event: WebhookEventReference = EVENT) -> dict[str, Any] | None:
    return dynamodb.get(webhook_items.place(event))


def is_seen() -> bool:
    return payment_items.read_for_event(EVENT, clock.seconds())[0]


@each_write
def test_what_is_learned_and_that_the_event_was_seen_are_one_write(write: Write) -> None:
    seen = inserted()
    written = write(seen)
    assert is_seen()
    assert payment_items.get(seen.id) == written


@each_write
def test_of_two_writes_for_one_event_the_second_changes_nothing(write: Write) -> None:
    first = write(inserted())
    with pytest.raises(EventSeen):
        write(first)
    assert payment_items.get(first.id) == first


@each_write
def test_who_loses_the_fence_has_not_seen_the_event(write: Write) -> None:
    seen = inserted()
    payment_writes.advance(seen, seen)
    with pytest.raises(VersionConflict):
        write(seen)
    assert stored() is None


@each_write
def test_a_write_whose_answer_was_lost_is_done_once(write: Write, wire: Wire) -> None:
    """DynamoDB knows the token; a stand-in without memory says that the event was seen: it was."""
    seen = inserted()
    wire.lose_answer("TransactWriteItems")
    with pytest.raises(EventSeen):
        write(seen)
    found = payment_items.get(seen.id)
    assert found
    assert found.version == seen.version + 1
    assert is_seen()


def test_of_many_at_once_one_is_first() -> None:
    seen = inserted()
    results = together(8, lambda _: bumped(seen))
    assert len([each for each in results if isinstance(each, Payment)]) == 1
    assert all(isinstance(each, Payment | EventSeen) for each in results)


def test_an_event_that_has_expired_may_come_again(later: Callable[[float], None]) -> None:
    first = bumped(inserted())
    later(webhook_items.LIFE_S + 1)
    assert not is_seen()
    assert bumped(first).version == first.version + 1
    assert is_seen()


def test_an_unmatched_event_is_remembered_and_its_first_word_stays() -> None:
    webhook_items.put_unmatched(EVENT, 100)
    webhook_items.put_unmatched(EVENT, 200)
    assert stored() == {
        "pk": "W#stripe#evt_1",
        "sk": "W",
        "state": "unmatched",
        "exp": 100 + 30 * 24 * 3600,
    }
    assert stored(OTHER) is None


def test_an_event_of_a_method_is_seen_until_it_has_expired(later: Callable[[float], None]) -> None:
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


def test_a_payment_is_found_by_our_reference_else_by_the_providers_id() -> None:
    seen = payment_writes.insert_locked(payment(), None, {})
    after = changed(seen, provider_payment_id="pi_1")
    known = payment_writes.commit_transition(seen, after, entry(after), None)
    for named in (
        {"payment_id": seen.id},
        {"payment_id": seen.id, "provider_payment_id": "pi_other"},
        {"payment_id": "pay_nobody", "provider_payment_id": "pi_1"},
        {"provider_payment_id": "pi_1"},
    ):
        event = EVENT.model_copy(update=named)
        assert payment_items.read_for_event(event, clock.seconds()) == (False, known)
    for named in ({}, {"payment_id": "pay_nobody"}, {"provider_payment_id": "pi_other"}):
        event = EVENT.model_copy(update=named)
        assert payment_items.read_for_event(event, clock.seconds()) == (False, None)
