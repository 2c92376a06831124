"""Events and their cursor. Source: docs/data-model.md, section 7."""

from bridge import clock
from bridge.models.outbox import Cursor, Event


def test_cursor_of_a_payment_without_deliveries_begins_at_0() -> None:
    cursor = Cursor(payment_id="pay_1")
    assert (cursor.sent, cursor.version, cursor.due_at) == (0, 0, None)
    assert (cursor.failing_since, cursor.retries_exhausted) == (None, False)


def test_event_accepts_a_status_of_another_release() -> None:
    event = Event(
        payment_id="pay_1",
        sequence=1,
        name="payment.of_a_newer_release",
        from_status="new",
        to_status="of_a_newer_release",
        at=clock.now(),
    )
    assert event.to_status == "of_a_newer_release"
    assert event.about == {}
