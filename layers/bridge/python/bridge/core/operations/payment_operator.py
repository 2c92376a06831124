"""What operators do with one payment: inspect it, synchronize it, deliver its events again.

Source: docs/architecture.md, section 2; docs/data-model.md, section 7.
"""

from typing import TYPE_CHECKING, Any

from bridge import clock
from bridge.core.payment_state import synchronize, timeline
from bridge.core.workers import event_delivery, sweep
from bridge.errors import Detail, InvalidRequest, NotFound
from bridge.models import field_rules, identifier
from bridge.models.model import Model, json_values_of
from bridge.models.outbox import Cursor
from bridge.models.payment import Entry, Payment
from bridge.models.run_context import RunContext
from bridge.store.payments import outbox_items, payment_items

if TYPE_CHECKING:
    from bridge.bodies.operator import ReplayEvent

HIDDEN = (
    *field_rules.fields_with(Payment, is_personal=True),
    *field_rules.fields_with(Payment, seen_by="nobody"),
)
# Of the active attempt: they contain the caller's texts.
OF_THE_CALLER = ("sent", "pending_changes")


class Inspection(Model, frozen=True, kw_only=True):
    """One payment as it is stored, without personal data, with its timeline and event cursor.

    `lease_over`: the active attempt can no longer take effect. `overdue_seconds`: how long the
    payment has been due. `delivery`: up to which entry events were delivered.

    `broken_at` is the place, from 1, of the first timeline entry that was changed, added, moved or
    removed. It is one past the last entry if only the row says that there were more entries, or
    another last one. None if the timeline is whole.
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
    """Read a payment for an operator, and check the chain of its timeline. Raises NotFound."""
    payment = _get(payment_id)
    now, entries = clock.seconds(), payment_items.timeline_as_found(payment.id)
    broken_at = timeline.find_break(entries, payment)
    return Inspection(
        payment=_without_personal_data(payment),
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


def _without_personal_data(payment: Payment) -> dict[str, object]:
    values = json_values_of(payment, *HIDDEN)
    if payment.active_attempt:
        values["active_attempt"] = json_values_of(payment.active_attempt, *OF_THE_CALLER)
    return _given(values)


def _given(values: dict[str, Any]) -> dict[str, Any]:
    """The values that are not None, also those inside of objects."""
    return {
        name: _given(value) if isinstance(value, dict) else value
        for name, value in values.items()
        if value is not None
    }


def synchronize_payment(payment_id: str, run: RunContext) -> Inspection:
    """Ask the provider for the payment's state now, save it, and show the payment.

    Raises NotFound, NotExecuted, UnknownOutcome, TemporarilyUnavailable.
    """
    payment = _get(payment_id)
    synchronize.synchronize(payment, run)
    return inspect_payment(payment.id)


def replay_events(event: "ReplayEvent", run: RunContext) -> event_delivery.Delivered:
    """Deliver the events of a payment again, from a sequence number on.

    Raises NotFound, InvalidRequest if there is no event with that number yet, and
    TemporarilyUnavailable.
    """
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
