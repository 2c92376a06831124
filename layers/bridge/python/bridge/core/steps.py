"""What each operation adds to the one protocol of `attempts`: when it starts, what it sends.

Source: design/convergence.md, section 2, "What a client may do"; contracts/bridge.md, B18.
"""

from bridge.core import amounts, payment_methods, states
from bridge.core.attempts import Send, Step
from bridge.errors import Conflict, Detail, InvalidRequest, NotFound
from bridge.models.call import Call
from bridge.models.caller import Caller
from bridge.models.payment import Confirmation, Payment, PaymentChange, Wanted
from bridge.models.provider import ProviderPayment
from bridge.providers import registry


def confirming(caller: Caller, asked: Confirmation, call: Call) -> Step:
    """Charge with the given method, the stored one, or the object's own."""

    def starts(payment: Payment) -> bool:
        provider = registry.open_provider(payment.provider_id)
        if payment.provider_payment_id and states.may_start(
            "confirm", payment.status, single_capture=provider.single_capture
        ):
            return True
        if payment.status in states.CONFIRMED and payment.shown_status != "refunded":
            return False
        message = f"a payment that is {payment.shown_status} cannot be confirmed"
        raise Conflict(message, code="payment_not_confirmable")

    def prepare(payment: Payment) -> tuple[Wanted, Send]:
        provider = registry.open_provider(payment.provider_id)
        token = _token(caller, payment, asked.payment_method_id)
        if token is None and not provider.fetch_payment(payment, ends_at=call.ends_at).has_method:
            raise _method_required("a payment method is required to confirm this payment")
        wanted = Wanted(**asked.model_dump())

        def send(locked: Payment) -> ProviderPayment:
            back = asked.return_url or locked.return_url
            charged = locked.model_copy(update={"return_url": back})
            return provider.confirm_payment(
                charged, token, key=locked.held.key, ends_at=call.ends_at
            )

        return wanted, send

    return Step("confirm", asked, starts, prepare)


def _token(caller: Caller, payment: Payment, given: str | None) -> str | None:
    """The provider's token of the given method, else of the stored one (B18)."""
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


def updating(caller: Caller, change: PaymentChange, call: Call) -> Step:
    """Let the provider's object bear other amounts or another method."""

    def starts(payment: Payment) -> bool:
        provider = registry.open_provider(payment.provider_id)
        if payment.provider_payment_id and states.may_start(
            "update", payment.status, single_capture=provider.single_capture
        ):
            return True
        message = f"a payment that is {payment.shown_status} cannot be updated"
        raise Conflict(message, code="payment_not_updatable")

    def prepare(payment: Payment) -> tuple[Wanted, Send]:
        provider = registry.open_provider(payment.provider_id)
        fields = change.model_dump(exclude_none=True, include=set(Wanted.model_fields))
        if fields.keys() & set(amounts.AMOUNTS):
            fields |= amounts.change(payment, change)
        wanted = Wanted(**fields)
        changed = payment.model_copy(update=wanted.model_dump(exclude_none=True))
        provider.check_amount(changed.total_cents, changed.currency)
        token = None
        if change.payment_method_id:
            token = _token(caller, payment, change.payment_method_id)

        def send(locked: Payment) -> ProviderPayment:
            return provider.update_payment(
                changed, token, key=locked.held.key, ends_at=call.ends_at
            )

        return wanted, send

    return Step("update", change, starts, prepare)


def abandoning(call: Call) -> Step:
    """Cancel what can still be paid."""

    def starts(payment: Payment) -> bool:
        provider = registry.open_provider(payment.provider_id)
        single = provider.single_capture
        return payment.is_open and states.may_start("cancel", payment.status, single_capture=single)

    def prepare(payment: Payment) -> tuple[Wanted, Send]:
        provider = registry.open_provider(payment.provider_id)

        def send(locked: Payment) -> ProviderPayment:
            return provider.cancel_payment(locked, key=locked.held.key, ends_at=call.ends_at)

        return Wanted(), send

    return Step("cancel", Confirmation(), starts, prepare)
