"""Payments, refunds and timelines as the native API shows them.

Source: docs/api/native.md, section 4.
"""

from datetime import datetime
from typing import Any

from bridge.api_adapters.native.wire import replayed
from bridge.authentication import guest_tokens
from bridge.inbound import Response
from bridge.models import field_rules
from bridge.models.caller import Caller
from bridge.models.model import values_of
from bridge.models.payment import Entry, Payment, PaymentResult
from bridge.models.provider import NextAction
from bridge.models.refund import Refund
from bridge.models.text import utc_seconds

PAYMENT_FIELDS = field_rules.fields_with(Payment, seen_by="caller")

RENAMED = {
    "captured_cents": "amount_captured_cents",
    "refunded_cents": "amount_refunded_cents",
}


def render_payment(caller: Caller, payment: Payment) -> dict[str, Any]:
    """The full payment object. Only its owner or its guest sees the client secret (B15)."""
    owned = payment.user_id is not None and payment.user_id == caller.user_id
    body = _payment(payment)
    if owned or caller.guest_of == payment.id:
        body["client_secret"] = payment.client_secret
    return body


def render_payments(payments: list[Payment]) -> list[dict[str, Any]]:
    """A list of full payment objects, without client secrets."""
    return [_payment(payment) for payment in payments]


def render_guest_payments(payments: list[Payment]) -> list[dict[str, Any]]:
    """Guest payments with six fields only: this list needs no authentication (B10)."""
    fields = ("id", "status", "total_cents", "currency", "concept", "created_at")
    return [{name: body[name] for name in fields} for body in map(_payment, payments)]


def render_new_payment(result: PaymentResult) -> Response:
    """201 with the payment, or 202 if the outcome is unknown. A guest gets a token (B8, B20)."""
    body = _payment(result.payment)
    body["client_secret"] = result.payment.client_secret
    if result.payment.user_id is None:
        body["guest_token"] = guest_tokens.issue(result.payment.id)
    return _outcome(result, body, 201)


def render_outcome(caller: Caller, result: PaymentResult) -> Response:
    """200 with the payment, or 202 if the outcome is unknown or another run works on it (B20)."""
    return _outcome(result, render_payment(caller, result.payment), 200)


def render_refund_outcome(result: PaymentResult) -> Response:
    """201 with the refund, or 202 if the outcome is unknown: the refund is then pending (B20)."""
    return _outcome(result, _refund(result.requested_refund), 201)


def render_refunds(refunds: list[Refund]) -> list[dict[str, Any]]:
    """A list of refunds."""
    return [_refund(refund) for refund in refunds]


def render_timeline(timeline: list[Entry]) -> list[dict[str, Any]]:
    """The timeline in the form that was hashed, so that a caller can check the hash chain."""
    return [entry.displayed for entry in timeline]


def _refund(refund: Refund) -> dict[str, Any]:
    times = {
        "created_at": utc_seconds(refund.created_at),
        "updated_at": utc_seconds(refund.updated_at),
    }
    return values_of(refund, *times) | times


def _outcome(result: PaymentResult, body: dict[str, Any], status: int) -> Response:
    if result.retry_after is not None:
        return Response(body, 202, {"Retry-After": str(result.retry_after)})
    return Response(body, status, replayed(result.replayed))


def _payment(payment: Payment) -> dict[str, Any]:
    """The fields that every caller sees, and those that are computed for this API."""
    failure, action = payment.failure, payment.next_action
    visible = {RENAMED.get(name, name): getattr(payment, name) for name in PAYMENT_FIELDS}
    times = {name: utc_seconds(at) for name, at in visible.items() if isinstance(at, datetime)}
    return (
        visible
        | times
        | {
            "client_secret": None,
            "status": payment.displayed_status,
            "next_action": _next_action(action) if action else None,
            "failure_code": failure.code if failure else None,
            "failure_message": failure.message if failure else None,
            "is_guest_payment": payment.user_id is None,
            "guest_email": payment.guest.email if payment.guest else None,
        }
    )


def _next_action(action: NextAction) -> dict[str, str]:
    """What the payer has to do. There is a `url` only for a redirect (B16)."""
    return {"type": action.type} | ({"url": action.url} if action.url is not None else {})
