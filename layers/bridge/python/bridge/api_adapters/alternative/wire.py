"""Alternative Payments' customers API: its credentials, requests, responses and errors.

Source: docs/api/alternative.md, sections 3 and 6; the vendor's document "Customers".
"""

import hashlib
import re
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from bridge.authentication import oauth_clients
from bridge.errors import BridgeError, Detail, InvalidRequest, NotFound
from bridge.inbound import Request, Response
from bridge.models.caller import Caller, PrefetchIds
from bridge.models.credential import AccessToken
from bridge.models.customer import Customer, CustomerUser
from bridge.models.identifier import suffix
from bridge.models.page import Between, CursorPage
from bridge.models.payment_method import PaymentMethod
from bridge.models.run_context import RunContext
from bridge.models.text import utc_seconds

BODY_LIMIT = 256 * 1024
LIMIT = 100
ID = re.compile("[0-9a-z]{26}")
SEAL_BYTES = 10  # 26 + 10 bytes: this length needs no padding in base64
QUOTES = " \t\r\n\"'"
HOUR_AND_MINUTE = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
DATE_TIME = re.compile(
    f"([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T{HOUR_AND_MINUTE}:)([0-5][0-9]|60)([.][0-9]+)?"
    f"(Z|[+-]{HOUR_AND_MINUTE})",
    re.IGNORECASE,
)
BOTH_ALPHABETS = str.maketrans("-_", "+/")
LOST_PLUS = re.compile(" (?=[0-9]{2}:[0-9]{2}$)")
OLDEST = datetime(1970, 1, 1, tzinfo=UTC)  # all our records are between these two times
NEWEST = datetime(9000, 1, 1, tzinfo=UTC)

OVER_LIMIT = "over_limit"

# Error code and message by status. None: the message of the error itself. Source: section 3.
WORDS: dict[int, tuple[str, str | None]] = {
    400: ("bad_request", None),
    401: ("unauthorized", "Missing or invalid access token"),
    403: ("invalid_credentials", "Invalid credentials"),
    404: ("not_found", "Customer not found"),
    413: ("payload_too_large", None),
    429: ("rate_limited", None),
}
UNPROCESSABLE = {OVER_LIMIT: "Validation failed", "customer_deleted": "The customer is archived"}


def authenticate(request: Request) -> Caller:
    """The caller, by an access token or an API key in the Authorization header (A2, A15).

    Raises NotAuthenticated, AuthUnavailable.
    """
    given = ID.fullmatch(request.path_parameters.get("id", "").removeprefix("cus_"))
    prefetch_ids = PrefetchIds(customer_id=f"cust_{given[0]}") if given else PrefetchIds()
    return oauth_clients.authenticate(request.headers.get("authorization", ""), prefetch_ids)


def issue_token(request: Request) -> AccessToken:
    """An access token for the client. Credentials are checked before the body.

    Raises Forbidden, InvalidRequest, AuthUnavailable.
    """
    token = oauth_clients.issue_token(request.headers.get("authorization", ""))
    if _grant_type(request) != "client_credentials":
        rule = "must be client_credentials"
        raise InvalidRequest(f"grant_type {rule}", details=[Detail("grant_type", rule)])
    return token


def _grant_type(request: Request) -> object:
    """The grant type in a form, with or without quotes around it, or in JSON (A3)."""
    text = request.body.decode("utf-8", "replace").strip()
    if text.startswith("{"):
        return request.json.get("grant_type")
    return dict(parse_qsl(text.strip(QUOTES))).get("grant_type", "").strip(QUOTES)


def read_id(request: Request) -> str:
    """Our id of the customer in the path. Raises NotFound for an id of another form."""
    prefix, _, given = request.path_parameters["id"].partition("_")
    if prefix != "cus" or not ID.fullmatch(given):
        raise NotFound
    return f"cust_{given}"


def read_run(request: Request) -> RunContext:
    """The run context. It has no client key: two equal creations make two customers (section 1)."""
    return RunContext(cause="api", ends_at=request.ends_at, source_ip=request.source_ip)


def read_customers_page(request: Request) -> CursorPage:
    """The page and the filters of a list of customers. Raises InvalidRequest."""
    return _read_page(request, _customers(request), FILTERS)


def read_users_page(request: Request) -> CursorPage:
    """The page of a list of a customer's contacts. Raises InvalidRequest."""
    return _read_page(request, _users(request), {})


class Parameter(NamedTuple):
    """A query parameter: its name in our models, its parser, and the message if that fails."""

    name: str
    read: Callable[[str], Any]
    rule: str = ""


def _read_page(request: Request, seal: bytes, filters: dict[str, Parameter]) -> CursorPage:
    """The page of a list. An empty parameter counts as missing, except `limit`.

    Raises InvalidRequest that names every invalid parameter.
    """

    def position(text: str) -> str:
        return _position(text, seal)

    known = {
        "limit": Parameter("limit", _limit, "must be a whole number from 1 on"),
        "after": Parameter("after", position, "is not a valid cursor"),
        "before": Parameter("before", position, "is not a valid cursor"),
    }
    query = request.last_query
    given: dict[str, Any] = {"limit": LIMIT}
    errors = []
    for name, parameter in (known | filters).items():
        if (text := query.get(name)) or (name == "limit" and text is not None):
            try:
                given[parameter.name] = parameter.read(text or "")
            except ValueError:
                errors.append(Detail(name, parameter.rule))
    if query.get("after") and query.get("before"):
        errors.append(Detail("before", "must not be given together with after"))
    if errors:
        subject = "cursor" if errors[0].field in ("after", "before") else errors[0].field
        raise InvalidRequest(f"Invalid {subject}", details=errors)
    return CursorPage(**given)


def _limit(text: str) -> int:
    """The page size. A greater one becomes the greatest; with cursors nothing is lost (A6)."""
    digits = text.lstrip("0")
    if not digits or not (digits.isascii() and digits.isdigit()):
        raise ValueError
    return LIMIT if len(digits) > len(str(LIMIT)) else min(int(digits), LIMIT)


def _time(text: str) -> datetime:
    """A time in RFC 3339 with a zone. A space before an offset was a plus sign (A7).

    Any fraction of a second becomes one microsecond, because the store compares whole seconds.
    """
    found = DATE_TIME.fullmatch(LOST_PLUS.sub("+", text))
    if found is None:
        raise ValueError
    minute, second, fraction, zone = found.groups()
    leap = second == "60"
    at = datetime.fromisoformat(f"{minute}{59 if leap else second}{zone}".upper())
    if at < OLDEST or at > NEWEST:
        return OLDEST if at < OLDEST else NEWEST
    return at + timedelta(seconds=int(leap), microseconds=int(bool((fraction or "").strip(".0"))))


TIME_RULE = "must be an RFC 3339 date-time with a zone"
FILTERS = {
    "created_at_start": Parameter("created_from", _time, TIME_RULE),
    "created_at_end": Parameter("created_until", _time, TIME_RULE),
    "company_name": Parameter("name", lambda text: text.strip() or None),
}


def _customers(request: Request) -> bytes:
    return _seal(request, "customers")


def _users(request: Request) -> bytes:
    return _seal(request, "users", request.path_parameters["id"])


def _seal(request: Request, *collection: str) -> bytes:
    """A hash of the organization and the list, so that a cursor is valid for its own list only."""
    sealed = "\n".join([request.caller.key_of or "", *collection])
    return hashlib.sha256(sealed.encode("utf-8", "surrogatepass")).digest()[:SEAL_BYTES]


def _cursor(position: str, seal: bytes) -> str:
    return urlsafe_b64encode(position.encode() + seal).decode()


def _position(cursor: str, seal: bytes) -> str:
    """The 26 characters of a cursor's position. Spaces were plus signs; padding may be missing.

    Raises ValueError if the text is not a cursor of this list. Source: section 5.
    """
    text = cursor.replace(" ", "+").rstrip("=")
    raw = b64decode(text.translate(BOTH_ALPHABETS), validate=True)
    position, bound = raw[:-SEAL_BYTES].decode("ascii"), raw[-SEAL_BYTES:]
    if bound != seal or not ID.fullmatch(position):
        raise ValueError
    return position


def render_token(token: AccessToken) -> Response:
    """The response with a new access token."""
    body = {"access_token": token.token, "expires_in": token.life_s, "token_type": "bearer"}
    return Response(body, 200, {"Cache-Control": "no-store"})


def render_customer(customer: Customer) -> dict[str, Any]:
    """A customer with exactly these keys. A field that is unset or empty is null (A1)."""
    return {
        "id": f"cus_{suffix(customer.id)}",
        "name": customer.name or None,
        "email": customer.email or None,
        "external_id": customer.external_id or None,
        "default_payment_method_id": customer.default_method_id,
        "created_at": utc_seconds(customer.created_at),
    }


def render_user(user: CustomerUser) -> dict[str, Any]:
    """A contact of a customer. Alternative Payments calls it a user."""
    return {
        "id": f"usr_{suffix(user.id)}",
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "job_title": user.job_title,
        "phone": user.phone,
        "created_at": utc_seconds(user.created_at),
    }


def render_methods(methods: list[PaymentMethod]) -> dict[str, Any]:
    """A customer's payment methods. The only key is `data`, because this list has no pages."""
    return {"data": [_method(each) for each in methods]}


def _method(method: PaymentMethod) -> dict[str, Any]:
    month, year = method.exp_month, method.exp_year
    return {
        "id": method.id,
        "type": method.type,
        "brand": method.brand.lower() if method.brand else None,
        "last4": method.last4,
        "exp_month": f"{month:02}" if month is not None else None,
        "exp_year": f"{year:04}" if year is not None else None,
        "default": method.is_default,
        "created_at": utc_seconds(method.created_at),
    }


def render_customers(request: Request, found: Between[Customer]) -> dict[str, Any]:
    """A page of customers, with its cursors."""
    rendered = [render_customer(each) for each in found.records]
    return _page(rendered, [each.uid for each in found.records], found, _customers(request))


def render_users(request: Request, found: Between[CustomerUser]) -> dict[str, Any]:
    """A page of a customer's contacts, with its cursors."""
    rendered = [render_user(each) for each in found.records]
    return _page(rendered, [suffix(each.id) for each in found.records], found, _users(request))


def _page(
    rendered: list[dict[str, Any]], positions: list[str], found: Between[Any], seal: bytes
) -> dict[str, Any]:
    """The records and the cursors side by side, as in the vendor's document (A14)."""
    return {
        "data": rendered,
        "start_cursor": _cursor(positions[0], seal) if positions else None,
        "end_cursor": _cursor(positions[-1], seal) if positions else None,
        "has_next_page": found.has_next,
        "has_previous_page": found.has_previous,
    }


def render_error(error: BridgeError, request_id: str) -> Response:  # noqa: ARG001 - in a header
    """An error in the vendor's form. A 503 keeps its status: clients retry it like a 500 (A4)."""
    if message := UNPROCESSABLE.get(error.code):
        return Response(_error("validation_failed", message, error.details), 422)
    code, own = WORDS.get(error.status, ("internal_error", None))
    return Response(_error(code, own or str(error), error.details), error.status)


def _error(code: str, message: str, details: list[Detail] | None = None) -> dict[str, Any]:
    """The error body: all errors by field, and as a flat list. Source: section 3."""
    by_field: dict[str, list[str]] = {}
    for detail in details or []:
        by_field.setdefault(detail.field, []).append(detail.message)
    flat = [detail._asdict() for detail in details or []]
    return {"code": code, "message": message, "validation_errors": by_field, "errors": flat}


def render_unmatched(request: Request) -> Response:
    """308 to the clean path for a doubled or trailing slash, otherwise 404, never 405 (A13)."""
    if location := request.clean_target:
        return Response(_error("moved", "Moved to the clean path"), 308, {"Location": location})
    return Response(_error("not_found", "Resource not found"), 404)
