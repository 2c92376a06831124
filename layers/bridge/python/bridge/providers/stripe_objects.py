"""Translate Stripe's objects into our models, and our models into Stripe's parameters.

Statuses: docs/providers.md, section B. Decline codes: docs/providers.md, section C.1
(`read_failure`).
Money: docs/providers.md, section E.

Source: docs/providers.md, section A.1.
"""

from datetime import UTC, datetime
from typing import Any, Literal

from bridge.errors import Detail, InvalidRequest
from bridge.models.currency import EXPONENTS
from bridge.models.customer import Customer
from bridge.models.model import checked
from bridge.models.payment import Payment
from bridge.models.provider import (
    Dispute,
    Failure,
    NextAction,
    ProviderChange,
    ProviderMethod,
    ProviderPayment,
    ProviderRefund,
    Status,
    method_digest,
)
from bridge.models.refund import RefundStatus
from bridge.models.text import is_email

METADATA_KEYS, METADATA_KEY, METADATA_VALUE = 50, 40, 500
CUSTOMER_NAME, CUSTOMER_PHONE = 256, 20

# Stripe's own minor units where they differ from ISO 4217 (docs/providers.md, section E).
TIMES_100 = {"ISK", "UGX"}
OVER_100 = {"MGA"}
NOT_OFFERED = {"IQD", "LYD", "CLF", "UYW", "UYI"}

STATUS: dict[str, Status] = {
    "requires_payment_method": "created",
    "requires_confirmation": "created",
    "requires_action": "requires_action",
    "processing": "processing",
    "requires_capture": "requires_capture",
    "canceled": "canceled",
    "succeeded": "succeeded",
}
OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
REFUND_STATUS: dict[str, RefundStatus] = {
    "pending": "pending",
    "requires_action": "pending",
    "succeeded": "succeeded",
    "failed": "failed",
    "canceled": "failed",
}
# An inquiry that was closed and a dispute that was prevented cost nothing, so they count as won.
DISPUTE_STATE: dict[str, Literal["won", "lost"]] = {
    "won": "won",
    "warning_closed": "won",
    "prevented": "won",
    "lost": "lost",
}


def read_payment(intent: Any) -> ProviderPayment:
    """A payment intent, with its expanded latest charge, as a ProviderPayment."""
    status = STATUS.get(intent.status)  # None: we do not know this status; the merge keeps ours
    error = getattr(intent, "last_payment_error", None)
    if intent.status == "requires_payment_method" and error:
        status = "failed"  # in other states the error may be left from an earlier attempt
    currency = intent.currency.upper()
    charge = getattr(intent, "latest_charge", None)
    expanded = None if isinstance(charge, str) else charge
    method = getattr(intent, "payment_method", None)
    payment = ProviderPayment(
        provider_payment_id=intent.id,
        payment_id=our_payment_id(intent),
        status=status,
        raw_status=intent.status,
        total_cents=from_units(intent.amount, currency),
        captured_cents=from_units(getattr(intent, "amount_received", 0) or 0, currency),
        currency=currency,
        setup_future_usage=getattr(intent, "setup_future_usage", None),
        statement_descriptor=getattr(intent, "statement_descriptor_suffix", None),
        method=method_digest(method) if method else None,
        charge_id=expanded.id if expanded else charge,
        charged_at=datetime.fromtimestamp(expanded.created, UTC) if expanded else None,
        refunded_cents=from_units(_given_back(expanded), currency) if expanded else None,
        is_disputed=bool(expanded and expanded.disputed),
        client_secret=intent.client_secret,
        next_action=_next_action(intent),
        failure=read_failure(error) if status == "failed" else None,
        is_open=intent.status in OPEN,
        saved=_saved(intent, expanded),
    )
    return checked(payment)


def read_refund(refund: Any) -> ProviderRefund:
    """A refund as a ProviderRefund. A status that we do not know counts as pending."""
    currency = refund.currency.upper()
    read = ProviderRefund(
        provider_refund_id=refund.id,
        refund_id=our_refund_id(refund),
        amount_cents=from_units(refund.amount, currency),
        currency=currency,
        status=REFUND_STATUS.get(refund.status, "pending"),
        reason=refund.reason,
        created_at=datetime.fromtimestamp(refund.created, UTC),
    )
    return checked(read)


def read_dispute(dispute: Any) -> Dispute:
    """A dispute. A status that we do not know counts as open."""
    return checked(Dispute(id=dispute.id, state=DISPUTE_STATE.get(dispute.status, "open")))


def read_change(listed: Any) -> ProviderChange | None:
    """An intent, a refund with its charge, or a dispute, from a list. None if it has no intent.

    A listed intent has neither refunds nor dispute: those come from their own lists.
    """
    if listed.object == "payment_intent":
        return ProviderChange(provider_payment_id=listed.id, payment=read_payment(listed))
    intent_id = listed.payment_intent
    if intent_id is None:
        return None
    if listed.object == "dispute":
        return ProviderChange(provider_payment_id=intent_id, dispute=read_dispute(listed))
    charge = listed.charge
    return ProviderChange(
        provider_payment_id=intent_id,
        refund=None if is_release(listed, charge) else read_refund(listed),
        refunded_cents=from_units(_given_back(charge), charge.currency.upper()),
    )


def is_release(refund: Any, charge: Any) -> bool:
    """Whether Stripe lists as a refund what a partial capture or a cancellation has released.

    Such a refund has exactly the released amount and no refund id of ours. A refund that somebody
    made at Stripe can have the same amount; then the sum of what was given back tells.
    """
    released = charge.amount - charge.amount_captured
    return bool(released) and refund.amount == released and not our_refund_id(refund)


def read_method(token: str, kind: str, details: Any) -> ProviderMethod:
    """A payment method. `details` are those of its type; we read them for cards only."""
    card = getattr(details, "card", None)
    method = ProviderMethod(
        token=token,
        type=kind,
        brand=getattr(card, "brand", None),
        last4=getattr(card, "last4", None),
        exp_month=getattr(card, "exp_month", None),
        exp_year=getattr(card, "exp_year", None),
    )
    return checked(method)


def _saved(intent: Any, charge: Any) -> ProviderMethod | None:
    """The method that has paid and that Stripe keeps for the customer, if there is one.

    Stripe keeps it if the intent has `setup_future_usage` and a customer, also if the money was
    given back or released since.
    """
    is_kept = getattr(intent, "setup_future_usage", None) and getattr(intent, "customer", None)
    token = getattr(intent, "payment_method", None)
    details = getattr(charge, "payment_method_details", None)
    if not (is_kept and token and details and charge.status == "succeeded"):
        return None
    return read_method(token, details.type, details)


def _next_action(intent: Any) -> NextAction | None:
    action = getattr(intent, "next_action", None)
    if intent.status != "requires_action" or action is None:
        return None
    if action.type == "redirect_to_url":
        return checked(NextAction(type="redirect", url=action.redirect_to_url.url))
    return NextAction(type="use_client_secret")


def read_failure(error: Any) -> Failure:
    """Stripe's error as it is: decline codes are passed on unchanged, there is no table."""
    code, decline = getattr(error, "code", None), getattr(error, "decline_code", None)
    message = getattr(error, "message", None) or "The payment was declined."
    return checked(Failure(code=code or "payment_failed", message=message, decline_code=decline))


def our_payment_id(intent: Any) -> str | None:
    """Our id of a payment, from its metadata. None if the object is not ours."""
    reference = getattr(intent.metadata, "payment_id", None)
    return reference if isinstance(reference, str) else None


def our_refund_id(refund: Any) -> str | None:
    """Our id of a refund, from its metadata. None if it was made elsewhere."""
    return getattr(refund.metadata, "refund_id", None)


def _given_back(charge: Any) -> int:
    """Stripe units that went back to the payer.

    Stripe also counts as refunded what a partial capture or a cancellation has released.
    """
    released: int = charge.amount - charge.amount_captured
    return max(0, charge.amount_refunded - released)


def write_amount(payment: Payment) -> dict[str, Any]:
    """Amount and currency as Stripe's parameters. Raises InvalidRequest, see `to_units`."""
    amount = to_units(payment.total_cents, payment.currency)
    return {"amount": amount, "currency": payment.currency.lower()}


def write_descriptor(payment: Payment) -> dict[str, str]:
    """The text on the payer's statement: Stripe puts it behind the account's own prefix.

    An account cannot replace the whole descriptor of a card. Source: Stripe, "Statement
    descriptors".
    """
    descriptor = payment.statement_descriptor
    return {"statement_descriptor_suffix": descriptor} if descriptor else {}


def write_customer(customer: Customer) -> dict[str, str]:
    """The fields of a customer that Stripe accepts. The rest stays with us.

    Customers of the other APIs may have an invalid e-mail, a longer name or a longer phone.
    """
    email, name, phone = customer.email or "", customer.name or "", customer.phone or ""
    fields = {
        "email": email if is_email(email) else "",
        "name": name[:CUSTOMER_NAME],
        "phone": phone if len(phone) <= CUSTOMER_PHONE else "",
    }
    return {name: value for name, value in fields.items() if value}


def write_metadata(metadata: dict[str, Any]) -> dict[str, str]:
    """The metadata of a caller that Stripe accepts, as texts. The rest stays with us (B4)."""
    texts = {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in metadata.items()
        if isinstance(value, str | bool | int | float)  # nested values stay with us too
    }
    fits = {
        key: text
        for key, text in texts.items()
        if len(key) <= METADATA_KEY
        and text
        and len(text) <= METADATA_VALUE
        and not set("[]") & set(key)
        and key not in ("payment_id", "customer_id", "reference_code")
    }
    return dict(list(fits.items())[: METADATA_KEYS - 2])  # our own keys need room


def to_units(cents: int, currency: str, field: str = "total_cents") -> int:
    """An amount in ISO minor units as Stripe's units.

    Raises InvalidRequest `amount_not_representable`, naming `field`, if that is not exact.
    """
    if currency in NOT_OFFERED:
        raise _not_representable("currency", f"Stripe does not offer {currency}")
    if currency in OVER_100 and cents % 100:
        raise _not_representable(field, f"must be a multiple of 100 in {currency}")
    if EXPONENTS[currency] == 3 and cents % 10:
        raise _not_representable(field, f"must be a multiple of 10 in {currency}")
    if currency in TIMES_100:
        return cents * 100
    return cents // 100 if currency in OVER_100 else cents


def from_units(units: int, currency: str) -> int:
    """An amount in Stripe's units as ISO minor units."""
    if currency in TIMES_100:
        return units // 100
    return units * 100 if currency in OVER_100 else units


def _not_representable(field: str, message: str) -> InvalidRequest:
    return InvalidRequest(
        f"{field} {message}", code="amount_not_representable", details=[Detail(field, message)]
    )
