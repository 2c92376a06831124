"""Monri WebPay v2: its credentials, requests, answers and errors.

Source: contracts/monri.md; seed "Customers API".
"""

import calendar
import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from bridge.authentication import merchants
from bridge.bodies import validated
from bridge.errors import BridgeError, Detail, InvalidRequest, NotFound
from bridge.inbound import Request, Response
from bridge.models import card_numbers
from bridge.models.caller import Caller, PrefetchIds
from bridge.models.credential import AccessToken
from bridge.models.customer import Customer, CustomerFields
from bridge.models.identifier import from_uuid, uuid_of
from bridge.models.page import Counted, OffsetPage
from bridge.models.payment_method import CustomersMethods, PaymentMethod
from bridge.models.run_context import RunContext
from bridge.models.text import METADATA_BYTES, METADATA_KEYS, metadata_bytes, utc_seconds

BODY_LIMIT = 256 * 1024
LIMIT, MOST, DEEPEST = 50, 500, 10**15
METADATA_KEY = 100
FIELDS = {  # of a customer: theirs, and ours
    "merchant_customer_id": "external_id",
    "description": "description",
    "email": "email",
    "name": "name",
    "phone": "phone",
}
ADDRESS = {"city": "city", "country": "country", "zip_code": "zip", "address": "address1"}
LABELS = {name: name.capitalize() for name in (*FIELDS, *ADDRESS, "metadata")} | {
    "merchant_customer_id": "Merchant customer",
    "zip_code": "Zip code",
}
MESSAGES = {
    "invalid_json": "Request body must be a JSON object",
    "external_id_taken": "Merchant customer has already been taken",
    "customer_deleted": "Customer is deleted",
    "not_found": "Customer not found",
    "body_too_large": "Request is too large",
    "rate_limited": "Too many requests",
    "internal_error": "Internal error",
}

Change = Callable[[Customer], CustomerFields]


def authenticate(request: Request) -> Caller:
    """Raises NotAuthenticated; Forbidden where a bearer token lacks the scope of the call."""
    caller = merchants.authenticate(
        request.headers.get("authorization", ""),
        request.path,
        request.raw_query,
        request.body,
        _prefetch_ids(request),
    )
    methods = request.route.endswith(merchants.METHODS)
    merchants.check_scope(caller, "customers", *(["payment-methods"] if methods else []))
    return caller


def _prefetch_ids(request: Request) -> PrefetchIds:
    """What will be read anyway, so that it comes with the merchant."""
    return PrefetchIds(customer_id=from_uuid("cust", request.path_parameters.get("uuid", "")))


def _text(value: object) -> str:
    """A number stands for its decimal text: callers in PHP and Ruby send such ids (D9)."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("must be a string")
    return value if isinstance(value, str) else format(Decimal(repr(value)), "f")


def _length(low: int, high: int) -> AfterValidator:
    def judge(value: str) -> str:
        if len(value) < low:
            unit = "character" if low == 1 else "characters"
            raise ValueError(f"is too short (minimum is {low} {unit})")
        if len(value) > high:
            raise ValueError(f"is too long (maximum is {high} characters)")
        return value

    return AfterValidator(judge)


def _country(value: str) -> str:
    """Judged by its shape alone (D7)."""
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
    """A creation and an update alike; null is a value. Lengths in characters, values untrimmed.

    Source: monri.md 4.2.
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
    """Source: monri.md 3."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, defer_build=True)
    client_id: Annotated[str, BeforeValidator(_string)]
    client_secret: Annotated[str, BeforeValidator(_string)]
    grant_type: Annotated[str, BeforeValidator(_grant)] = Field(default="", validate_default=True)
    scopes: Annotated[list[str], BeforeValidator(_scopes)] = []


def read_new_customer(request: Request) -> CustomerFields:
    return _fields(_body(request.json), None)


def read_customer_change(request: Request) -> Change:
    """What the body makes of a customer: there must be one before the fields are judged (4.3)."""
    body = request.json
    return lambda seen: _fields(_body(body), seen)


def _body(body: dict[str, Any]) -> CustomerBody:
    card_numbers.refuse(card_numbers.in_named_fields(body))
    return validated(CustomerBody, body)


def _fields(body: CustomerBody, seen: Customer | None) -> CustomerFields:
    """What was sent, merged into what is there where the field is one of several in a dict."""
    sent = {name: getattr(body, name) for name in body.model_fields_set}
    fields: dict[str, Any] = {FIELDS[name]: sent[name] for name in sent.keys() & FIELDS.keys()}
    if place := {ADDRESS[name]: sent[name] for name in sent.keys() & ADDRESS.keys()}:
        fields["address"] = _merged(seen.address if seen else None, place) or None
    if "metadata" in sent:
        kept = seen.metadata if seen and sent["metadata"] is not None else None
        fields["metadata"] = _merged(kept, sent["metadata"] or {})
        try:
            _check_size(fields["metadata"])
        except ValueError as error:
            details = [Detail("metadata", str(error))]
            raise InvalidRequest("not valid: metadata", details=details) from None
    return CustomerFields(**fields)


def _merged(before: Mapping[str, Any] | None, change: Mapping[str, Any]) -> dict[str, Any]:
    """One level deep; null takes a key away (D11)."""
    after = {**(before or {}), **change}
    return {key: each for key, each in after.items() if key not in change or each is not None}


def read_run(request: Request) -> RunContext:
    """Without a key of the client's: a repeated creation is one too many here (5.1)."""
    return RunContext(cause="api", ends_at=request.ends_at)


def read_id(request: Request) -> str:
    """Raises NotFound for what is no UUID."""
    if customer_id := from_uuid("cust", request.path_parameters["uuid"]):
        return customer_id
    raise NotFound


def read_owner(request: Request) -> tuple[str | None, str]:
    """Whose methods: our id, if the path holds a UUID, and what the merchant may mean (D13)."""
    given = request.path_parameters["uuid"]
    return from_uuid("cust", given), given


def read_merchant_customer_id(request: Request) -> str:
    """Whatever follows the prefix, decoded already, slashes included (D15)."""
    return request.path_parameters["merchant_customer_id"]


def read_page(request: Request) -> OffsetPage:
    """Of a parameter that is repeated the last one counts. Raises InvalidRequest (D12)."""
    given = request.last_query
    limit, offset = _number(given.get("limit", f"{LIMIT}")), _number(given.get("offset", "0"))
    fits = {"limit": 1 <= limit <= MOST, "offset": offset >= 0}
    if errors := [Detail(name, "must be a valid number") for name in fits if not fits[name]]:
        names = ", ".join(error.field for error in errors)
        raise InvalidRequest(f"not valid: {names}", details=errors)
    return OffsetPage(limit=limit, offset=offset)


def _number(text: str) -> int:
    """-1 for no number. What is beyond all lists may be beyond an integer, too."""
    if not (text.isascii() and text.isdigit()):
        return -1
    digits = text.lstrip("0") or "0"
    return int(digits) if len(digits) < len(str(DEEPEST)) else DEEPEST


def issue_token(request: Request) -> AccessToken:
    """Raises InvalidRequest, NotAuthenticated. Source: monri.md 3."""
    asked = request.parse(TokenBody)
    return merchants.issue_token(asked.client_id, asked.client_secret, asked.scopes)


def render_token(token: AccessToken) -> dict[str, Any]:
    return {
        "access_token": token.token,
        "token_type": "Bearer",
        "expires_in": token.life_s,
        "status": "approved",
    }


def render_customer(customer: Customer) -> dict[str, Any]:
    address = customer.address or {}
    return {
        **_named_twice(customer),
        "merchant_customer_id": customer.external_id,
        "description": customer.description,
        "email": customer.email,
        "name": customer.name,
        "phone": customer.phone,
        **{theirs: address.get(ours) for theirs, ours in ADDRESS.items()},
        "metadata": customer.metadata,
        "deleted": customer.deleted_at is not None,
        "created_at": utc_seconds(customer.created_at),
        "updated_at": utc_seconds(customer.updated_at),
        "deleted_at": utc_seconds(customer.deleted_at) if customer.deleted_at else None,
    }


def _named_twice(customer: Customer) -> dict[str, Any]:
    """Some clients read `id`, others `uuid`."""
    uuid = uuid_of(customer.uid)
    return {"status": "approved", "id": uuid, "uuid": uuid}


def render_deletion(customer: Customer) -> dict[str, Any]:
    return _named_twice(customer) | {"deleted": True}


def render_customers(page: Counted[Customer]) -> dict[str, Any]:
    return {"status": "approved", "data": [render_customer(each) for each in page.records]}


def render_methods(page: CustomersMethods) -> dict[str, Any]:
    return {"status": "approved", "data": [_method(each, page) for each in page.methods]}


def _method(method: PaymentMethod, page: CustomersMethods) -> dict[str, Any]:
    """`token` is no provider's: a word of ours, 64 hex digits, that stays the method's."""
    token = hashlib.sha256(method.id.encode()).hexdigest()
    return {
        "status": "approved",
        "id": token,
        "masked_pan": f"******{method.last4 or ''}",
        "expiration_date": _last_day(method),
        "keep_until": None,
        "created_at": utc_seconds(method.created_at),
        "updated_at": utc_seconds(method.updated_at),
        "customer_uuid": uuid_of(page.customer_uid),
        "token": token,
        "expired": method.is_expired(page.at.astimezone(UTC)),
    }


def _last_day(method: PaymentMethod) -> str | None:
    if method.exp_year is None or method.exp_month is None:
        return None
    day = calendar.monthrange(method.exp_year, method.exp_month)[1]
    return date(method.exp_year, method.exp_month, day).isoformat()


def render_error(error: BridgeError, request_id: str) -> Response:  # noqa: ARG001 - no field for it
    """A conflict is a 400 here: `invalid-request` is what the caller can repair (4.3)."""
    lines = [f"{LABELS.get(each.field, each.field)} {each.message}" for each in error.details]
    status = 400 if error.status == 409 else error.status
    return _refusal(status, *(lines or [MESSAGES.get(error.code, str(error))]))


def render_unmatched(request: Request) -> Response:
    """308 to the clean path for a doubled or trailing slash, else 404."""
    if location := request.clean_target:
        return _refusal(308, "Resource has moved")._replace(headers={"Location": location})
    return _refusal(404, "Resource not found")


def _refusal(status: int, *lines: str) -> Response:
    ours = status in (401, 403, 429) or status >= 500
    word = "error" if ours else "invalid-request"
    return Response({"status": word, "message": lines[0], "errors": list(lines)}, status)
