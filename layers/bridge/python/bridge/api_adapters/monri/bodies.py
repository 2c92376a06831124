"""The bodies of Monri's requests. Source: docs/api/monri.md, sections 3 and 4."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Annotated, Any, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from bridge.api_adapters.monri.wire import ADDRESS, FIELDS
from bridge.authentication import merchants
from bridge.bodies.validation import parse, validated
from bridge.errors import Detail, InvalidRequest
from bridge.inbound import Request
from bridge.models import card_numbers
from bridge.models.credential import AccessToken
from bridge.models.customer import Customer, CustomerFields
from bridge.models.text import METADATA_BYTES, METADATA_KEYS, metadata_bytes

METADATA_KEY = 100

Change = Callable[[Customer], CustomerFields]


def _text(value: object) -> str:
    """The text. A number becomes its decimal text: PHP and Ruby clients send such ids (M9)."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("must be a string")
    return value if isinstance(value, str) else format(Decimal(repr(value)), "f")


def _length(low: int, high: int) -> AfterValidator:
    def check(value: str) -> str:
        if len(value) < low:
            unit = "character" if low == 1 else "characters"
            raise ValueError(f"is too short (minimum is {low} {unit})")
        if len(value) > high:
            raise ValueError(f"is too long (maximum is {high} characters)")
        return value

    return AfterValidator(check)


def _country(value: str) -> str:
    """The country in upper case. Any two letters pass (M7)."""
    if not (len(value) == 2 and value.isascii() and value.isalpha()):
        raise ValueError("must be two letters")
    return value.upper()


def _metadata(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("must be an object")
    if len(value) > METADATA_KEYS:
        raise ValueError(f"has too many keys (maximum is {METADATA_KEYS})")
    if not all(1 <= len(key) <= METADATA_KEY for key in value):
        raise ValueError(f"has a key that is not 1 to {METADATA_KEY} characters long")
    _check_size({key: each for key, each in value.items() if each is not None})
    return value


def _check_size(metadata: Mapping[str, Any]) -> None:
    if metadata_bytes(metadata) > METADATA_BYTES:
        raise ValueError(f"is too large (maximum is {METADATA_BYTES} bytes)")


Text = Annotated[str, BeforeValidator(_text)]


class CustomerBody(BaseModel):
    """The body of a creation or an update. A null clears the field. Lengths are in characters.

    Texts are not trimmed. Source: docs/api/monri.md, section 4.2.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, defer_build=True)
    merchant_customer_id: Annotated[Text, _length(1, 100)] | None = None
    description: Annotated[Text, _length(1, 200)] | None = None
    email: Annotated[Text, _length(1, 200)] | None = None
    name: Annotated[Text, _length(1, 50)] | None = None
    phone: Annotated[Text, _length(1, 30)] | None = None
    zip_code: Annotated[Text, _length(1, 9)] | None = None
    city: Annotated[Text, _length(3, 30)] | None = None
    address: Annotated[Text, _length(3, 100)] | None = None
    country: Annotated[Text, AfterValidator(_country)] | None = None
    metadata: Annotated[dict[str, Any], BeforeValidator(_metadata)] | None = None


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a string")
    return value


def _grant(value: object) -> str:
    if value != "client_credentials":
        raise ValueError("must be client_credentials")
    return "client_credentials"


def _scopes(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError("must be an array of strings")
    return value


class TokenBody(BaseModel):
    """The body of POST /v2/oauth. Source: docs/api/monri.md, section 3."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, defer_build=True)
    client_id: Annotated[str, BeforeValidator(_string)]
    client_secret: Annotated[str, BeforeValidator(_string)]
    grant_type: Annotated[str, BeforeValidator(_grant)] = Field(default="", validate_default=True)
    scopes: Annotated[list[str], BeforeValidator(_scopes)] = []


def read_new_customer(request: Request) -> CustomerFields:
    """The fields of a new customer. Raises InvalidRequest."""
    return _fields(_body(request.json), None)


def read_customer_change(request: Request) -> Change:
    """A function from the stored customer to its changed fields. Raises InvalidRequest.

    The function raises InvalidRequest for an invalid field. It is called after the customer was
    found, because an unknown customer is reported before an invalid field (section 4.3).
    """
    body = request.json
    return lambda existing: _fields(_body(body), existing)


def _body(body: dict[str, Any]) -> CustomerBody:
    card_numbers.refuse(card_numbers.in_card_fields(body))
    return validated(CustomerBody, body)


def _fields(body: CustomerBody, existing: Customer | None) -> CustomerFields:
    """The sent fields. Those of the address and the metadata are merged into the existing ones."""
    sent = {name: getattr(body, name) for name in body.model_fields_set}
    fields: dict[str, Any] = {FIELDS[name]: sent[name] for name in sent.keys() & FIELDS.keys()}
    if place := {ADDRESS[name]: sent[name] for name in sent.keys() & ADDRESS.keys()}:
        fields["address"] = _merged(existing.address if existing else None, place) or None
    if "metadata" in sent:
        kept = existing.metadata if existing and sent["metadata"] is not None else None
        fields["metadata"] = _merged(kept, sent["metadata"] or {})
        try:
            _check_size(fields["metadata"])
        except ValueError as error:
            details = [Detail("metadata", str(error))]
            raise InvalidRequest("not valid: metadata", details=details) from None
    return cast(CustomerFields, fields)


def _merged(before: Mapping[str, Any] | None, change: Mapping[str, Any]) -> dict[str, Any]:
    """The change merged one level deep. A null removes its key (M11)."""
    after = {**(before or {}), **change}
    return {key: each for key, each in after.items() if key not in change or each is not None}


def issue_token(request: Request) -> AccessToken:
    """A bearer token for the merchant. Source: docs/api/monri.md, section 3.

    Raises InvalidRequest, NotAuthenticated, AuthUnavailable.
    """
    body = parse(request, TokenBody)
    return merchants.issue_token(body.client_id, body.client_secret, body.scopes)
