"""The body with which an instrument is attached. Source: docs/api/payments-ai.md, section 3."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator

from bridge.api_adapters.payments_ai.bodies import BODY
from bridge.bodies.validation import validated
from bridge.inbound import Request
from bridge.models import card_numbers

TOKEN = 200


def _token(value: object) -> object:
    if value is None or value == "":
        raise ValueError("is required")
    if not isinstance(value, str):
        raise ValueError("must be a string")
    if len(value) > TOKEN or not value.isprintable() or not value.strip():
        raise ValueError("is invalid or already used")
    return value


class InstrumentBody(BaseModel):
    """The body with which an instrument is attached."""

    model_config = BODY
    token: Annotated[str | None, BeforeValidator(_token)] = None


def read_token(request: Request) -> str:
    """The provider's token in the body.

    Raises InvalidRequest, also for a card number in any field of the body.
    """
    card_numbers.refuse(card_numbers.in_any_field(request.json))
    token = validated(InstrumentBody, {"token": None} | request.json).token
    return token or ""
