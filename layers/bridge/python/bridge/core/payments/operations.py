"""The operation plans of confirm, update, cancel, capture and refund.

A plan says when its operation may start (`starts`) and prepares what it sends (`prepare`).
`attempts.execute` does the rest: lock, call, outcome. `prepare` runs before the lock is taken, the
`send` that it returns runs under the lock, with the locked payment.

Source: docs/payment-correctness.md, section 2; docs/api/native.md, section 4.
"""

from typing import TYPE_CHECKING

from msgspec.structs import replace

from bridge import clock
from bridge.core.payment_state import state_machine
from bridge.core.payment_state.attempts import OperationPlan, PreparedCall
from bridge.core.payments import amounts
from bridge.core.rules import immutable_fields
from bridge.core.wallet import payment_methods
from bridge.errors import Conflict, Detail, InvalidRequest, NotFound
from bridge.models.caller import Caller
from bridge.models.identifier import new_id
from bridge.models.payment import CancellationReason, Payment
from bridge.models.provider import ProviderPayment, method_digest
from bridge.models.refund import Refund
from bridge.models.run_context import RunContext
from bridge.providers import registry

if TYPE_CHECKING:
    from bridge.bodies.payment import Capture, Confirmation, NewRefund, PaymentChange


def plan_confirm(caller: Caller, request: "Confirmation", run: RunContext) -> OperationPlan:
    """Charge with the given method, else the stored one, else the one that the object has."""

    def starts(payment: Payment) -> bool:
        provider = registry.open_provider(payment.provider_id)
        if payment.provider_payment_id and state_machine.may_start(
            "confirm", payment.status, single_capture=provider.single_capture
        ):
            return True
        if payment.status in state_machine.CONFIRMED and payment.displayed_status != "refunded":
            return False
        message = f"a payment that is {payment.displayed_status} cannot be confirmed"
        raise Conflict(message, code="payment_not_confirmable")

    def prepare(payment: Payment) -> PreparedCall:
        provider = registry.open_provider(payment.provider_id)
        token = _token(caller, payment, request.payment_method_id)
        if token is None and not provider.fetch_payment(payment, ends_at=run.ends_at).method:
            raise _method_required("a payment method is required to confirm this payment")

        def send(locked: Payment) -> ProviderPayment:
            return_url = request.return_url or locked.return_url
            charged = replace(locked, return_url=return_url)
            return provider.confirm_payment(
                charged, token, key=locked.locked_attempt.key, ends_at=run.ends_at
            )

        return PreparedCall(send, request.model_dump(exclude_none=True))

    return OperationPlan("confirm", request.model_dump_json(exclude_unset=True), starts, prepare)


def _token(caller: Caller, payment: Payment, given: str | None) -> str | None:
    """The provider's token of the given method, else of the stored one, else None (B18).

    Raises NotFound, InvalidRequest.
    """
    method_id = given or payment.payment_method_id
    if method_id is None:
        return None
    try:
        method = payment_methods.resolve(caller, method_id, payment.provider_id)
    except NotFound:
        if given:
            raise
        raise _method_required("the stored payment method is no longer there") from None
    if method.customer and method.customer.id != payment.customer_id:
        raise InvalidRequest(
            "payment_method_id belongs to another customer than the payment",
            details=[Detail("payment_method_id", "belongs to another customer")],
        )
    return method.token


def _method_required(message: str) -> InvalidRequest:
    return InvalidRequest(
        message,
        code="payment_method_required",
        details=[Detail("payment_method_id", "is required")],
    )


def plan_update(caller: Caller, change: "PaymentChange", run: RunContext) -> OperationPlan:
    """Set other amounts or another method on the provider's object."""

    def starts(payment: Payment) -> bool:
        provider = registry.open_provider(payment.provider_id)
        if payment.provider_payment_id and state_machine.may_start(
            "update", payment.status, single_capture=provider.single_capture
        ):
            return True
        message = f"a payment that is {payment.displayed_status} cannot be updated"
        raise Conflict(message, code="payment_not_updatable")

    def prepare(payment: Payment) -> PreparedCall:
        provider = registry.open_provider(payment.provider_id)
        pending_changes = immutable_fields.changeable(change.model_dump(exclude_none=True), payment)
        if pending_changes.keys() & amounts.AMOUNTS:
            pending_changes |= amounts.change(payment, change)
        changed = replace(payment, **pending_changes)
        provider.check_amount(changed.total_cents, changed.currency)
        token = None
        if change.payment_method_id:
            token = _token(caller, payment, change.payment_method_id)
        method = method_digest(token) if token else None

        def send(locked: Payment) -> ProviderPayment:
            return provider.update_payment(
                changed, token, key=locked.locked_attempt.key, ends_at=run.ends_at
            )

        return PreparedCall(send, pending_changes, method=method)

    return OperationPlan("update", change.model_dump_json(exclude_unset=True), starts, prepare)


def plan_cancel(reason: CancellationReason, run: RunContext) -> OperationPlan:
    """Cancel what has not been captured. To cancel again is not an error."""

    def starts(payment: Payment) -> bool:
        if payment.status == "canceled":
            return False
        single = registry.open_provider(payment.provider_id).single_capture
        has_something = payment.is_open or payment.status == "requires_capture"
        if has_something and state_machine.may_start(
            "cancel", payment.status, single_capture=single
        ):
            return True
        message = f"a payment that is {payment.displayed_status} cannot be canceled"
        raise Conflict(message, code="payment_not_cancelable")

    def prepare(payment: Payment) -> PreparedCall:
        provider = registry.open_provider(payment.provider_id)

        def send(locked: Payment) -> ProviderPayment:
            return provider.cancel_payment(
                locked, reason, key=locked.locked_attempt.key, ends_at=run.ends_at
            )

        return PreparedCall(send)

    return OperationPlan("cancel", reason, starts, prepare)


def plan_capture(request: "Capture", run: RunContext) -> OperationPlan:
    """Take the authorized amount or a part of it, once."""

    def starts(payment: Payment) -> bool:
        if not state_machine.may_start("capture", payment.status, single_capture=False):
            message = f"a payment that is {payment.displayed_status} cannot be captured"
            raise Conflict(message, code="payment_not_capturable")
        if (request.amount_cents or 0) > payment.total_cents:
            message = f"{payment.total_cents} is authorized"
            raise Conflict(message, code="amount_exceeds_available")
        return True

    def prepare(payment: Payment) -> PreparedCall:
        provider = registry.open_provider(payment.provider_id)
        amount = request.amount_cents or payment.total_cents
        provider.check_amount(amount, payment.currency, "amount_cents")

        def send(locked: Payment) -> ProviderPayment:
            return provider.capture_payment(
                locked, request.amount_cents, key=locked.locked_attempt.key, ends_at=run.ends_at
            )

        return PreparedCall(send)

    return OperationPlan("capture", request.model_dump_json(exclude_unset=True), starts, prepare)


def plan_refund(request: "NewRefund", run: RunContext) -> OperationPlan:
    """Give back captured money or a part of it. T1 reserves the amount.

    A payment can be refunded if it has succeeded and the amount is at most `refundable_cents`.
    """

    def starts(payment: Payment) -> bool:
        if not state_machine.may_start("refund", payment.status, single_capture=False):
            message = f"a payment that is {payment.displayed_status} cannot be refunded"
            raise Conflict(message, code="payment_not_refundable")
        if not 0 < (request.amount_cents or payment.refundable_cents) <= payment.refundable_cents:
            message = f"{payment.refundable_cents} is left to refund"
            raise Conflict(message, code="amount_exceeds_available")
        return True

    def prepare(payment: Payment) -> PreparedCall:
        provider, now = registry.open_provider(payment.provider_id), clock.now()
        amount = request.amount_cents or payment.refundable_cents
        provider.check_amount(amount, payment.currency, "amount_cents")
        refund = Refund(
            id=new_id("ref", now),
            payment_id=payment.id,
            amount_cents=amount,
            currency=payment.currency,
            reason=request.reason,
            created_at=now,
            updated_at=now,
        )

        def send(locked: Payment) -> ProviderPayment:
            return provider.refund_payment(
                locked, refund, key=locked.locked_attempt.key, ends_at=run.ends_at
            )

        return PreparedCall(send, refund=refund)

    return OperationPlan(
        "refund", request.model_dump_json(exclude_unset=True), starts, prepare, is_repeatable=True
    )
