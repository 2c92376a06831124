"""Stripe's events: is it Stripe's, does it concern us, which payment or method does it speak of?

Source: contracts/providers.md, D.1. An event's version is its endpoint's, not the one we speak, so
only ids are read, from the fields that D.1 names.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import stripe
from pydantic import BaseModel, ValidationError

from bridge import config
from bridge.errors import InvalidRequest, TemporarilyUnavailable
from bridge.models.queue_message import MethodEventReference, WebhookEventReference

TOLERANCE_S = 300

# Every other event is answered and dropped: nothing that we store hangs on it yet.
INTENTS = {
    "payment_intent.amount_capturable_updated",
    "payment_intent.canceled",
    "payment_intent.created",
    "payment_intent.payment_failed",
    "payment_intent.processing",
    "payment_intent.requires_action",
    "payment_intent.succeeded",
}
CHARGES = {"charge.captured", "charge.expired", "charge.refunded"}
OF_CHARGES = {
    "charge.refund.updated",
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.funds_reinstated",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.updated",
    "refund.created",
    "refund.failed",
    "refund.updated",
}
METHODS = {
    "payment_method.attached",
    "payment_method.automatically_updated",
    "payment_method.detached",
    "payment_method.updated",
}


class _Event(BaseModel, hide_input_in_errors=True):
    id: str
    type: str
    livemode: bool = False
    data: dict[str, Any] = {}


class _Object(BaseModel, hide_input_in_errors=True):
    id: str
    payment_intent: str | None = None
    charge: str | None = None
    metadata: dict[str, Any] | None = None


def read_signed(
    headers: Mapping[str, str], raw: bytes
) -> WebhookEventReference | MethodEventReference | None:
    """What a webhook says; None where it is none of our business.

    Raises InvalidRequest for what is not signed with one of our secrets, is older than 300 s, is
    of the other mode or is no event; TemporarilyUnavailable where the secrets cannot be read.
    """
    _verify(headers.get("stripe-signature", ""), raw)
    try:
        event = json.loads(raw)
    except (ValueError, RecursionError):
        raise InvalidRequest("the body is not valid JSON", code="invalid_json") from None
    return read(event)


def _verify(signature: str, raw: bytes) -> None:
    """Two secrets are good at once while one takes the other's place.

    They are not read anew for a signature that fits neither: forgeries would make us ask SSM.
    """
    try:
        secrets = re.split(r"[\s,]+", config.secret("STRIPE_WEBHOOK_SECRET").strip(" ,"))
    except config.SecretUnavailable as error:
        message = "webhooks cannot be verified right now"
        raise TemporarilyUnavailable(message, retry_after=5) from error
    if signature.isascii():  # the SDK compares text, and only ASCII
        for secret in secrets:
            try:
                stripe.WebhookSignature.verify_header(raw, signature, secret, TOLERANCE_S)
            except (stripe.SignatureVerificationError, UnicodeDecodeError):
                continue
            return
    raise InvalidRequest("the signature is not valid", code="signature_invalid")


def read(event: object) -> WebhookEventReference | MethodEventReference | None:
    """The same for an event that needs no signature: only Stripe's own bus may bring it."""
    try:
        known = _Event.model_validate(event)
        if known.livemode != config.is_live():
            raise InvalidRequest("the event is of the other mode", code="mode_mismatch")
        if known.type not in INTENTS | CHARGES | OF_CHARGES | METHODS:
            return None
        about = _Object.model_validate(known.data.get("object"))
        if known.type in METHODS:
            return MethodEventReference(
                provider_id="stripe", event_id=known.id, type=known.type, token=about.id
            )
        return _event_reference(known, about)
    except ValidationError:
        raise InvalidRequest("the body is no event", code="event_malformed") from None


def _event_reference(event: _Event, about: _Object) -> WebhookEventReference:
    is_intent = event.type in INTENTS
    intent = about.id if is_intent else about.payment_intent
    charge = about.id if event.type in CHARGES else about.charge
    reference = (about.metadata or {}).get("payment_id")
    return WebhookEventReference(
        provider_id="stripe",
        event_id=event.id,
        type=event.type,
        payment_id=reference if isinstance(reference, str) else None,
        provider_payment_id=intent,
        # An intent bears our reference itself: there is nothing further to ask.
        parent_id=None if is_intent else intent or charge,
    )
