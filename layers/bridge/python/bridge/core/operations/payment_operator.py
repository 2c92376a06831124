"""What operators do by hand: see, converge or replay one payment, write and revoke sessions."""

from pydantic import BaseModel, Field

from bridge import clock
from bridge.core.payment_state import synchronize, timeline
from bridge.core.workers import event_delivery, sweep
from bridge.errors import Detail, InvalidRequest, NotFound
from bridge.models import identifier
from bridge.models.outbox import Cursor
from bridge.models.payment import Entry, Payment
from bridge.models.run_context import RunContext
from bridge.store.payments import outbox_items, payment_items

HIDDEN: dict[str, bool | set[str]] = {
    "guest": True,
    "description": True,
    "metadata": True,
    "last_hash": True,
    "writer": True,
    "active_attempt": {"sent", "pending_changes"},  # what a call sent bears the caller's texts too
}


class ReplayEvent(BaseModel, frozen=True):
    """Which events to deliver again: those of one payment from a sequence number on."""

    payment_id: str
    from_sequence: int = Field(ge=1, strict=True)


class Inspection(BaseModel, frozen=True):
    """One payment as its row stands, without personal data, its timeline, and how far its events
    have been delivered.

    `broken_at` is the place, from 1, of the first entry that was changed, added, moved or taken
    away; one past the last where only the row says that there was more, or something else.
    """

    payment: dict[str, object]
    displayed_status: str
    is_locked: bool
    lease_over: bool
    is_stuck: bool
    overdue_seconds: int
    timeline: list[Entry]
    timeline_is_whole: bool
    broken_at: int | None
    delivery: Cursor


def inspect_payment(payment_id: str) -> Inspection:
    """Raises NotFound."""
    payment = _get(payment_id)
    now, entries = clock.seconds(), payment_items.timeline_as_found(payment.id)
    broken_at = timeline.find_break(entries, payment)
    return Inspection(
        payment=payment.model_dump(mode="json", exclude=HIDDEN, exclude_none=True),
        displayed_status=payment.displayed_status,
        is_locked=payment.active_attempt is not None,
        lease_over=bool(payment.active_attempt and now > payment.active_attempt.until),
        is_stuck=sweep.is_stuck(payment, now),
        overdue_seconds=max(0, now - payment.due_at) if payment.due_at else 0,
        timeline=[entry for entry in entries if entry],
        timeline_is_whole=broken_at is None,
        broken_at=broken_at,
        delivery=outbox_items.get_cursor(payment.id),
    )


def synchronize_payment(payment_id: str, run: RunContext) -> Inspection:
    """Ask the provider now. Raises NotFound, NotExecuted, UnknownOutcome."""
    payment = _get(payment_id)
    synchronize.synchronize(payment, run)
    return inspect_payment(payment.id)


def replay_events(event: ReplayEvent, run: RunContext) -> event_delivery.Delivered:
    """Deliver again. Raises NotFound, InvalidRequest, TemporarilyUnavailable."""
    payment = _get(event.payment_id)
    if event.from_sequence > payment.sequence:
        message = f"the last event of this payment is {payment.sequence}"
        raise InvalidRequest(message, details=[Detail("from_sequence", message)])
    return event_delivery.replay(payment.id, event.from_sequence, run)


def _get(payment_id: str) -> Payment:
    payment = payment_items.get(payment_id) if identifier.is_well_formed(payment_id) else None
    if payment is None:
        raise NotFound
    return payment
