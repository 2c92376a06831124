"""What the bodies of the native API share: no card numbers, and data of a guest (B8).

Source: docs/api/native.md, sections 1 and 5.
"""

from bridge.authentication import signing
from bridge.bodies.validation import Body, parse, parse_optional
from bridge.errors import NotAuthenticated
from bridge.inbound import Request
from bridge.models import card_numbers


def required(request: Request, model: type[Body]) -> Body:
    """The body, whose card fields must contain no card number. Raises InvalidRequest."""
    card_numbers.refuse(card_numbers.in_card_fields(request.json))
    return parse(request, model)


def optional(request: Request, model: type[Body]) -> Body:
    """The same, but an empty body counts as an empty object. Raises InvalidRequest."""
    if request.body.strip():
        card_numbers.refuse(card_numbers.in_card_fields(request.json))
    return parse_optional(request, model)


def without_cards(request: Request, model: type[Body]) -> Body:
    """The body, in which no field at all may contain a card number. Raises InvalidRequest."""
    card_numbers.refuse(card_numbers.in_any_field(request.json))
    return parse(request, model)


def check_guest(request: Request) -> None:
    """Check a caller without a session before the body is validated (B8).

    Raises NotAuthenticated without guest_data, AuthUnavailable if no guest token can be signed.
    """
    has_guest_data = request.body.strip() and request.json.get("guest_data") is not None
    if not request.caller.is_user and not has_guest_data:
        raise NotAuthenticated("sign in, or send guest_data")
    if not request.caller.is_user:
        signing.check_ready()
