"""Payments: confirm, update, cancel, capture, refund, sync. Source: bridge.md section 4."""

from bridge import clock
from bridge.core.payment_state import attempts, synchronize
from bridge.core.payments import operations, read_payments, return_urls
from bridge.core.rules import access, immutable_fields
from bridge.errors import TemporarilyUnavailable
from bridge.models.call import Call
from bridge.models.caller import Caller
from bridge.models.payment import (
    Answered,
    Cancellation,
    Capture,
    Confirmation,
    Payment,
    PaymentChange,
)
from bridge.models.refund import NewRefund
from bridge.store.payments import payment_items, payment_writes

OWN_FIELDS = {
    "description",
    "concept",
    "reference_code",
    "category",
    "tags",
    "project_id",
    "metadata",
}
FIXED_FIELDS = (
    "id",
    "provider_id",
    "organization_id",
    "customer_id",
    "capture_method",
    "guest_data",
)


def sync(caller: Caller, payment_id: str, call: Call) -> Payment:
    """Read the provider, merge, return. Raises NotFound, and NotExecuted or UnknownOutcome when
    the provider cannot be asked: nothing has changed then."""
    payment, _ = read_payments.find(caller, payment_id, None)
    return synchronize.converge(payment, call)


def confirm(caller: Caller, payment_id: str, asked: Confirmation, call: Call) -> Answered:
    """Charge the payment once, with the given method, the stored one, or the object's own.

    Raises NotFound, Forbidden, InvalidRequest `payment_method_required`, Conflict,
    PaymentDeclined, NotExecuted.
    """
    payment, record = read_payments.find(caller, payment_id, call)
    access.check_writable(payment, caller)
    return_urls.check(return_url=asked.return_url, cancel_url=asked.cancel_url)
    return attempts.run(payment, record, operations.confirming(caller, asked, call), call)


def update(caller: Caller, payment_id: str, change: PaymentChange, call: Call) -> Answered:
    """Change what was sent; what the provider holds only under the lock and before a charge.

    Raises NotFound, Forbidden, InvalidRequest, Conflict `payment_not_updatable`, NotExecuted.
    """
    payment, _ = read_payments.find(caller, payment_id, None)
    access.user_of(caller)
    access.check_writable(payment, caller)
    stored = payment.model_dump() | {
        "guest_data": payment.guest.model_dump(exclude_none=True) if payment.guest else None
    }
    immutable_fields.check(change.model_dump(exclude_none=True), stored, FIXED_FIELDS)
    return_urls.check(return_url=change.return_url, cancel_url=change.cancel_url)
    given = set(change.model_dump(exclude_none=True)) - set(FIXED_FIELDS)
    if given <= OWN_FIELDS:
        return Answered(payment=_update_own(payment, change))
    return attempts.run(payment, None, operations.updating(caller, change, call), call)


def _update_own(payment: Payment, change: PaymentChange) -> Payment:
    """Fields that only we hold: in any state, also under a lock, without a provider's call."""
    wanted = change.model_dump(exclude_none=True, include=OWN_FIELDS)
    for _ in range(synchronize.ROUNDS):
        changed = payment.model_copy(update=wanted | {"updated_at": clock.now()})
        if live := payment.live:  # what an update under way wanted of these fields is older
            older = live.wanted.model_copy(update=dict.fromkeys(wanted))
            changed = changed.model_copy(update={"live": live.model_copy(update={"wanted": older})})
        try:
            return payment_writes.advance(payment, changed) if wanted else payment
        except payment_writes.Outrun:
            fresh, _ = payment_items.read(payment.id, None, clock.seconds())
            payment = fresh or payment
    raise TemporarilyUnavailable("the payment could not be changed", retry_after=1)


def abandon(payment: Payment, call: Call) -> Payment:
    """Cancel what nobody has paid for ABANDON_DAYS. Raises what the provider's call raises."""
    asked = Cancellation(reason="abandoned")
    return attempts.run(payment, None, operations.canceling(asked, call), call).payment


def cancel(caller: Caller, payment_id: str, asked: Cancellation, call: Call) -> Answered:
    """Void a payment that has not been captured.

    Raises NotFound, Forbidden, Conflict `payment_not_cancelable`, NotExecuted.
    """
    payment, record = read_payments.find(caller, payment_id, call)
    access.check_writable(payment, caller)
    return attempts.run(payment, record, operations.canceling(asked, call), call)


def capture(caller: Caller, payment_id: str, asked: Capture, call: Call) -> Answered:
    """Take what a manual capture has authorized.

    Raises NotFound, Forbidden, Conflict `payment_not_capturable` or `amount_exceeds_available`,
    InvalidRequest, NotExecuted.
    """
    payment, record = read_payments.find(caller, payment_id, call)
    access.user_of(caller)
    access.check_writable(payment, caller)
    return attempts.run(payment, record, operations.capturing(asked, call), call)


def refund(caller: Caller, payment_id: str, asked: NewRefund, call: Call) -> Answered:
    """Give back what was captured, or a part of it, and never more; `refund` is the answer.

    Raises NotFound, Forbidden, Conflict `payment_not_refundable` or `amount_exceeds_available`,
    InvalidRequest, NotExecuted.
    """
    payment, record = read_payments.find(caller, payment_id, call)
    access.user_of(caller)
    access.check_writable(payment, caller)
    return attempts.run(payment, record, operations.refunding(asked, call), call)
