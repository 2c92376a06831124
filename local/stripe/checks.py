"""Checks of parameters that several operations share."""

import re

from local.stripe.errors import StripeError, empty, invalid
from local.stripe.params import Params
from local.stripe.resources.payment_intent import PaymentIntent

EMAIL = re.compile(r"^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$")
URL = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://[^\s/]+\S*$")


def unexpected_state(intent: PaymentIntent, message: str) -> StripeError:
    """The error for an operation that the intent's status does not allow."""
    return StripeError(
        400,
        message,
        code="payment_intent_unexpected_state",
        more={"payment_intent": intent.render()},
    )


def email(params: Params, name: str) -> str | None:
    """Return an e-mail address or None. Stripe takes only ASCII addresses.

    Raises StripeError. Source: Stripe, "Error codes" (email_invalid).
    """
    given = params.text(name)
    if given is not None and not (given.isascii() and EMAIL.match(given)):
        raise invalid(f"Invalid email address: {given}", name, "email_invalid")
    return given


def url(params: Params, name: str) -> str | None:
    """Return a URL or None. Raises StripeError for anything else."""
    given = params.text(name)
    if given is not None and not URL.match(given):
        raise invalid("Not a valid URL", name, "url_invalid")
    return given


def identifier(params: Params, name: str) -> str | None:
    """Return an id or None. Raises StripeError for an empty one: an id cannot be cleared."""
    if params.has(name) and params.text(name) is None:
        raise empty(name)
    return params.text(name)
