"""Semantic checks that several operations share."""

import re

from local.stripe.errors import StripeError, empty, invalid
from local.stripe.params import Params
from local.stripe.resources.payment_intent import PaymentIntent

EMAIL = re.compile(r"^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$")
URL = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://[^\s/]+\S*$")


def unexpected_state(intent: PaymentIntent, message: str) -> StripeError:
    return StripeError(
        400,
        message,
        code="payment_intent_unexpected_state",
        more={"payment_intent": intent.render()},
    )


def email(params: Params, name: str) -> str | None:
    """Source: Stripe, "Error codes" (email_invalid). Stripe takes ASCII addresses only."""
    given = params.text(name)
    if given is not None and not (given.isascii() and EMAIL.match(given)):
        raise invalid(f"Invalid email address: {given}", name, "email_invalid")
    return given


def url(params: Params, name: str) -> str | None:
    given = params.text(name)
    if given is not None and not URL.match(given):
        raise invalid("Not a valid URL", name, "url_invalid")
    return given


def identifier(params: Params, name: str) -> str | None:
    """An id can be replaced by another but not cleared."""
    if params.has(name) and params.text(name) is None:
        raise empty(name)
    return params.text(name)
