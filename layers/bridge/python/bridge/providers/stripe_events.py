"""Stripe's events: verify the signature, read the ids of the payment or payment method.

Only ids are read. The API version of an event is that of its endpoint and not the one that we use,
and the state in an event may be out of date (rule 7).

Source: docs/providers.md, section D.1.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import stripe

from bridge import config, ssm
from bridge.errors import InvalidRequest, TemporarilyUnavailable
from bridge.models.model import Model, checked
from bridge.models.provider_walk import EventPage
from bridge.models.queue_message import MethodEventReference, WebhookEventReference

TOLERANCE_S = 300
OTHER_MODE = "mode_mismatch"

# The events that we act on. Every other type is answered with 200 and dropped.
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

# The same types, as Stripe's list of events takes them: at most 20 at once.
PAYMENT_TYPES = tuple(sorted(INTENTS | CHARGES | OF_CHARGES))
METHOD_TYPES = tuple(sorted(METHODS))


class _Event(Model, frozen=True, kw_only=True):
    id: str
    type: str
    livemode: bool = False
    data: dict[str, Any] = {}


class _Object(Model, frozen=True, kw_only=True):
    id: str
    payment_intent: str | None = None
    charge: str | None = None
    metadata: dict[str, Any] | None = None


def read_signed(
    headers: Mapping[str, str], raw: bytes
) -> WebhookEventReference | MethodEventReference | None:
    """The event reference of a webhook, or None if we do not act on the event.

    Raises InvalidRequest if it is not signed with one of our secrets, is older than 300 s, is of
    the other mode or is not an event; TemporarilyUnavailable if the secrets cannot be read.
    """
    _verify(headers.get("stripe-signature", ""), raw)
    try:
        event = json.loads(raw)
    except (ValueError, RecursionError):
        raise InvalidRequest("the body is not valid JSON", code="invalid_json") from None
    return read(event)


def _verify(signature: str, raw: bytes) -> None:
    """Check the signature. Raises InvalidRequest, TemporarilyUnavailable.

    Two secrets are valid at once while one replaces the other. If the signature fits neither, the
    secrets are not read again: forged webhooks would make us call SSM each time.
    """
    try:
        secrets = re.split(r"[\s,]+", ssm.secret("STRIPE_WEBHOOK_SECRET").strip(" ,"))
    except ssm.SecretUnavailable as error:
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
    """The event reference of an event without a signature, from Stripe's own event bus.

    Raises InvalidRequest.
    """
    try:
        known = msgspec.convert(event, _Event)
        if known.livemode != config.is_live():
            raise InvalidRequest("the event is of the other mode", code=OTHER_MODE)
        if known.type not in INTENTS | CHARGES | OF_CHARGES | METHODS:
            return None
        about = msgspec.convert(known.data.get("object"), _Object)
        if known.type in METHODS:
            method_event = MethodEventReference(
                provider_id="stripe", event_id=known.id, type=known.type, token=about.id
            )
            return checked(method_event)
        return checked(_event_reference(known, about))
    except msgspec.ValidationError:
        raise InvalidRequest("the body is no event", code="event_malformed") from None


def read_page(events: Iterable[Any], position: str) -> EventPage:
    """A page of Stripe's list of events, without those of the other mode.

    An event that we cannot read is counted: the others must not wait for it.
    """
    references, unreadable = [], 0
    for event in events:
        try:
            reference = read(event.to_dict())
        except InvalidRequest as error:
            unreadable += error.code != OTHER_MODE
            continue
        if reference:
            references.append(reference)
    return EventPage(references=tuple(references), unreadable=unreadable, position=position)


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
        # An intent has our reference itself, so Stripe need not be asked for a parent.
        parent_id=None if is_intent else intent or charge,
    )
