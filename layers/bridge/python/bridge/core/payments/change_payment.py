"""Change payments: confirm, update, cancel, capture, refund, sync.

Each use case finds the payment, checks the caller, and hands an operation plan to
`attempts.execute`, which takes the lock and calls the provider.

Source: docs/api/native.md, section 4; docs/payment-correctness.md, section 2.
"""

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from bridge import clock
from bridge.core.payment_state import attempts, synchronize
from bridge.core.payments import operations, read_payments, return_urls
from bridge.core.rules import access, immutable_fields, scheduling
from bridge.errors import TemporarilyUnavailable
from bridge.models import field_rules
from bridge.models.caller import Caller
from bridge.models.payment import Payment, PaymentResult
from bridge.models.run_context import RunContext
from bridge.store import dynamodb
from bridge.store.payments import payment_items, payment_writes

if TYPE_CHECKING:
    from bridge.bodies.payment import Cancellation, Capture, Confirmation, NewRefund, PaymentChange

OWN_FIELDS = set(field_rules.fields_with(Payment, changes="any_time"))


def sync(caller: Caller, payment_id: str, run: RunContext) -> Payment:
    """Ask the provider for the payment's state, save it, return the payment.

    Raises NotFound. Raises NotExecuted or UnknownOutcome if the provider cannot be asked; nothing
    has changed then.
    """
    payment, _ = read_payments.find(caller, payment_id, None)
    return synchronize.synchronize(payment, run)


def confirm(
    caller: Caller, payment_id: str, request: "Confirmation", run: RunContext
) -> PaymentResult:
    """Charge the payment, once, with the given method, else the stored one, else the object's own.

    Raises NotFound, Forbidden, InvalidRequest `payment_method_required`, Conflict,
    PaymentDeclined, NotExecuted.
    """
    payment, record = read_payments.find(caller, payment_id, run)
    access.check_writable(payment, caller)
    return_urls.check(return_url=request.return_url, cancel_url=request.cancel_url)
    return attempts.execute(payment, record, operations.plan_confirm(caller, request, run), run)


def update(
    caller: Caller, payment_id: str, change: "PaymentChange", run: RunContext
) -> PaymentResult:
    """Change the fields that were sent.

    Fields that the provider stores too are changed under the lock, and only before a charge. Our
    own fields can be changed in any state, without a call.

    Raises NotFound, Forbidden, InvalidRequest, Conflict `payment_not_updatable`, NotExecuted.
    """
    payment, _ = read_payments.find(caller, payment_id, None)
    access.user_of(caller)
    access.check_writable(payment, caller)
    changes = immutable_fields.changeable(change.model_dump(exclude_none=True), payment)
    return_urls.check(return_url=change.return_url, cancel_url=change.cancel_url)
    if changes.keys() <= OWN_FIELDS:
        return PaymentResult(payment=_update_own(payment, changes))
    return attempts.execute(payment, None, operations.plan_update(caller, change, run), run)


def _update_own(payment: Payment, changes: dict[str, Any]) -> Payment:
    """Change fields that only we store: in any state, also under a lock, with no provider call."""
    for _ in range(scheduling.WRITE_TRIES):
        changed = replace(payment, **(changes | {"updated_at": clock.now()}))
        if attempt := payment.active_attempt:
            # An active update would write its older values of these fields when it is done.
            pending = {k: v for k, v in attempt.pending_changes.items() if k not in changes}
            changed = replace(changed, active_attempt=replace(attempt, pending_changes=pending))
        try:
            return payment_writes.advance(payment, changed) if changes else payment
        except dynamodb.VersionConflict:
            fresh, _ = payment_items.read(payment.id, None, clock.seconds())
            payment = fresh or payment
    raise TemporarilyUnavailable("the payment could not be changed", retry_after=1)


def abandon(payment: Payment, run: RunContext) -> Payment:
    """Cancel a payment that nobody has paid for ABANDON_DAYS. Called by the sweep.

    Raises what `attempts.execute` raises.
    """
    return attempts.execute(payment, None, operations.plan_cancel("abandoned", run), run).payment


def cancel(
    caller: Caller, payment_id: str, request: "Cancellation", run: RunContext
) -> PaymentResult:
    """Cancel a payment that has not been captured; an authorization is voided.

    Raises NotFound, Forbidden, Conflict `payment_not_cancelable`, NotExecuted.
    """
    payment, record = read_payments.find(caller, payment_id, run)
    access.check_writable(payment, caller)
    return attempts.execute(payment, record, operations.plan_cancel(request.reason, run), run)


def capture(caller: Caller, payment_id: str, request: "Capture", run: RunContext) -> PaymentResult:
    """Take the authorized amount, or a part of it, of a payment with manual capture.

    Raises NotFound, Forbidden, Conflict `payment_not_capturable` or `amount_exceeds_available`,
    InvalidRequest, NotExecuted.
    """
    payment, record = read_payments.find(caller, payment_id, run)
    access.user_of(caller)
    access.check_writable(payment, caller)
    return attempts.execute(payment, record, operations.plan_capture(request, run), run)


def refund(caller: Caller, payment_id: str, request: "NewRefund", run: RunContext) -> PaymentResult:
    """Give back captured money, or a part of it. The result's `refund` is the answer.

    When this is allowed: `operations.plan_refund`.

    Raises NotFound, Forbidden, Conflict `payment_not_refundable` or `amount_exceeds_available`,
    InvalidRequest, NotExecuted.
    """
    payment, record = read_payments.find(caller, payment_id, run)
    access.user_of(caller)
    access.check_writable(payment, caller)
    return attempts.execute(payment, record, operations.plan_refund(request, run), run)
