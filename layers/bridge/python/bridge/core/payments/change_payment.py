"""Payments: confirm, update, cancel, capture, refund, sync. Source: bridge.md section 4."""

from bridge import clock
from bridge.core.payment_state import attempts, synchronize
from bridge.core.payments import operations, read_payments, return_urls
from bridge.core.rules import access, immutable_fields, scheduling
from bridge.errors import TemporarilyUnavailable
from bridge.models.caller import Caller
from bridge.models.payment import (
    Cancellation,
    Capture,
    Confirmation,
    Payment,
    PaymentChange,
    PaymentResult,
)
from bridge.models.refund import NewRefund
from bridge.models.run_context import RunContext
from bridge.store import dynamodb
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


def sync(caller: Caller, payment_id: str, run: RunContext) -> Payment:
    """Read the provider, merge, return. Raises NotFound, and NotExecuted or UnknownOutcome when
    the provider cannot be asked: nothing has changed then."""
    payment, _ = read_payments.find(caller, payment_id, None)
    return synchronize.synchronize(payment, run)


def confirm(caller: Caller, payment_id: str, asked: Confirmation, run: RunContext) -> PaymentResult:
    """Charge the payment once, with the given method, the stored one, or the object's own.

    Raises NotFound, Forbidden, InvalidRequest `payment_method_required`, Conflict,
    PaymentDeclined, NotExecuted.
    """
    payment, record = read_payments.find(caller, payment_id, run)
    access.check_writable(payment, caller)
    return_urls.check(return_url=asked.return_url, cancel_url=asked.cancel_url)
    return attempts.execute(payment, record, operations.confirming(caller, asked, run), run)


def update(
    caller: Caller, payment_id: str, change: PaymentChange, run: RunContext
) -> PaymentResult:
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
        return PaymentResult(payment=_update_own(payment, change))
    return attempts.execute(payment, None, operations.updating(caller, change, run), run)


def _update_own(payment: Payment, change: PaymentChange) -> Payment:
    """Fields that only we hold: in any state, also under a lock, without a provider's call."""
    changes = change.model_dump(exclude_none=True, include=OWN_FIELDS)
    for _ in range(scheduling.WRITE_TRIES):
        changed = payment.model_copy(update=changes | {"updated_at": clock.now()})
        if (
            attempt := payment.active_attempt
        ):  # what an update under way wanted of these fields is older
            older = attempt.pending_changes.model_copy(update=dict.fromkeys(changes))
            changed = changed.model_copy(
                update={"active_attempt": attempt.model_copy(update={"pending_changes": older})}
            )
        try:
            return payment_writes.advance(payment, changed) if changes else payment
        except dynamodb.VersionConflict:
            fresh, _ = payment_items.read(payment.id, None, clock.seconds())
            payment = fresh or payment
    raise TemporarilyUnavailable("the payment could not be changed", retry_after=1)


def abandon(payment: Payment, run: RunContext) -> Payment:
    """Cancel what nobody has paid for ABANDON_DAYS. Raises what the provider's call raises."""
    asked = Cancellation(reason="abandoned")
    return attempts.execute(payment, None, operations.canceling(asked, run), run).payment


def cancel(caller: Caller, payment_id: str, asked: Cancellation, run: RunContext) -> PaymentResult:
    """Void a payment that has not been captured.

    Raises NotFound, Forbidden, Conflict `payment_not_cancelable`, NotExecuted.
    """
    payment, record = read_payments.find(caller, payment_id, run)
    access.check_writable(payment, caller)
    return attempts.execute(payment, record, operations.canceling(asked, run), run)


def capture(caller: Caller, payment_id: str, asked: Capture, run: RunContext) -> PaymentResult:
    """Take what a manual capture has authorized.

    Raises NotFound, Forbidden, Conflict `payment_not_capturable` or `amount_exceeds_available`,
    InvalidRequest, NotExecuted.
    """
    payment, record = read_payments.find(caller, payment_id, run)
    access.user_of(caller)
    access.check_writable(payment, caller)
    return attempts.execute(payment, record, operations.capturing(asked, run), run)


def refund(caller: Caller, payment_id: str, asked: NewRefund, run: RunContext) -> PaymentResult:
    """Give back what was captured, or a part of it, and never more; `refund` is the answer.

    Raises NotFound, Forbidden, Conflict `payment_not_refundable` or `amount_exceeds_available`,
    InvalidRequest, NotExecuted.
    """
    payment, record = read_payments.find(caller, payment_id, run)
    access.user_of(caller)
    access.check_writable(payment, caller)
    return attempts.execute(payment, record, operations.refunding(asked, run), run)
