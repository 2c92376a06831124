"""The bodies of requests about customers. Source: docs/api/payments-ai.md, sections 1.3 and 2."""

import re
from typing import Annotated, Any, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator

from bridge.api_adapters.payments_ai.bodies import BODY, Object, text
from bridge.api_adapters.payments_ai.wire import invalid
from bridge.bodies.fields import ValidationErrors
from bridge.bodies.validation import validated
from bridge.errors import Detail, InvalidRequest
from bridge.inbound import Request
from bridge.models import card_numbers
from bridge.models.customer import CustomerFields
from bridge.models.text import METADATA_BYTES, metadata_bytes, normalized_email

METADATA_KEYS, NAME, EMAIL, PHONE = 100, 255, 254, 50

TWO_LETTERS = re.compile(r"[A-Za-z]{2}")

# The fields below `address`, with their greatest lengths in characters.
ADDRESS = {"country": 2, "address1": 255, "address2": 255, "city": 100, "region": 100, "zip": 20}

# Fields that have another name in our models.
COMMON = {"phone_number": "phone", "default_payment_instrument_id": "default_method_id"}

# Fields of an address that have another name in the later form, `primaryAddress`.
FAMILY = {"address": "address1", "postalCode": "zip"}


def _email(value: str | None) -> str | None:
    if value is not None and normalized_email(value) is None:
        raise ValueError("must be a valid email address")
    return value


def _language(value: object) -> object:
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("must be a string")
    if not TWO_LETTERS.fullmatch(value):
        raise ValueError("must be a two-letter ISO 639-1 code")
    return value.lower()


def _address(value: dict[str, Any] | None) -> dict[str, Any] | None:
    """The address as sent, with its country in upper case. Raises ValidationErrors."""
    if value is None:
        return None
    errors = [(key, error) for key in value if (error := _address_error(key, value[key]))]
    if errors:
        raise ValidationErrors(errors)
    return {k: each.upper() if k == "country" and each else each for k, each in value.items()}


def _address_error(key: str, value: object) -> str | None:
    if key == "address":
        return "not allowed, use address1"
    if key not in ADDRESS or value is None:
        return None
    if not isinstance(value, str):
        return "must be a string"
    if key == "country":
        code = TWO_LETTERS.fullmatch(value)
        return None if code else "must be a two-letter ISO 3166-1 code"
    return None if len(value) <= ADDRESS[key] else f"must be at most {ADDRESS[key]} characters"


def _metadata(value: dict[str, Any] | None) -> dict[str, Any] | None:
    if value is None:
        return None
    if len(value) > METADATA_KEYS:
        raise ValueError(f"must have at most {METADATA_KEYS} keys")
    if not all(1 <= len(key) <= NAME for key in value):
        raise ValueError(f"keys must be 1 to {NAME} characters")
    if metadata_bytes(value) > METADATA_BYTES:
        raise ValueError(f"must be at most {METADATA_BYTES} bytes as JSON")
    return value


class CustomerBody(BaseModel):
    """The body of a creation or a change. Errors come in the order of these fields."""

    model_config = BODY
    first_name: Annotated[str | None, text(NAME)] = None
    last_name: Annotated[str | None, text(NAME)] = None
    email: Annotated[str | None, AfterValidator(_email), text(EMAIL)] = None
    phone_number: Annotated[str | None, text(PHONE)] = None
    language: Annotated[str | None, BeforeValidator(_language)] = None
    address: Annotated[Object, AfterValidator(_address)] = None
    primary_address: Object = None
    metadata: Annotated[Object, AfterValidator(_metadata)] = None
    custom_fields: Object = None
    default_payment_instrument_id: Annotated[str | None, text(NAME)] = None


def read_new_customer(request: Request) -> CustomerFields:
    """The fields of a new customer.

    Raises InvalidRequest, also for a default instrument: a new customer has no instruments yet.
    """
    errors: list[Detail] = []
    body = request.json
    try:
        fields = _fields(body)
    except InvalidRequest as error:
        errors += error.details
    else:
        if fields.get("default_method_id") is None:
            return fields
    if body.get("defaultPaymentInstrumentId") is not None:
        errors.append(Detail("defaultPaymentInstrumentId", "does not belong to this customer"))
    raise invalid(errors)


def read_customer_change(request: Request) -> CustomerFields:
    """The changed fields: only those that were sent. A null clears (P19). Raises InvalidRequest."""
    body = request.json
    if body.get("id", request.path_parameters["id"]) == request.path_parameters["id"]:
        return _fields(body)
    errors = [Detail("id", "cannot be changed")]
    try:
        _fields(body)
    except InvalidRequest as error:
        errors += error.details
    raise invalid(errors)


def _fields(body: dict[str, Any]) -> CustomerFields:
    card_numbers.refuse(card_numbers.in_card_fields(body))
    derived = _derived(body.get("primaryAddress"))
    sources = {name: source for name, (source, _) in derived.items() if name not in body}
    flat = {name: derived[name][1] for name in sources}
    try:
        checked = validated(CustomerBody, flat | body)
    except InvalidRequest as error:
        raise invalid([_at_source(detail, sources) for detail in error.details]) from None
    given = {name: getattr(checked, name) for name in checked.model_fields_set}
    for name in given.keys() & COMMON.keys():
        given[COMMON[name]] = given.pop(name)
    for name in given.keys() & {"metadata", "custom_fields"}:
        given[name] = given[name] or {}
    return cast(CustomerFields, given)


def _at_source(detail: Detail, sources: dict[str, str]) -> Detail:
    """The error of a derived field, with the path at which its value is in the request."""
    name, dot, below = detail.field.partition(".")
    return Detail(sources.get(name, name) + dot + below, detail.message)


def _derived(primary: object) -> dict[str, tuple[str, object]]:
    """The flat fields that `primaryAddress` contains: for each its path and its value (P11)."""
    if not isinstance(primary, dict):
        return {}
    found: dict[str, tuple[str, object]] = {}
    for name in ("firstName", "lastName"):
        if primary.get(name) is not None:
            found[name] = f"primaryAddress.{name}", primary[name]
    for name, lines in (("email", "emails"), ("phoneNumber", "phoneNumbers")):
        if (value := _primary_of(primary.get(lines))) is not None:
            found[name] = f"primaryAddress.{lines}", value
    own = primary.get("customerAddress")
    where = "primaryAddress.customerAddress" if isinstance(own, dict) else "primaryAddress"
    address = _flat_address(own if isinstance(own, dict) else primary)
    if address:
        found["address"] = where, address
    return found


def _primary_of(lines: object) -> object:
    """The value of the line that is marked as primary, otherwise of the first line."""
    listed = [each for each in lines if isinstance(each, dict)] if isinstance(lines, list) else []
    marked = [each for each in listed if each.get("primary") is True]
    return next((each.get("value") for each in marked or listed), None)


def _flat_address(given: dict[str, Any]) -> dict[str, Any]:
    by_name = {FAMILY.get(key, key): value for key, value in given.items()}
    return {key: by_name[key] for key in ADDRESS if by_name.get(key) is not None}
