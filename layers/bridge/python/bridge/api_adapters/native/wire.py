"""What the endpoints of the native API share: credentials, ids, pages, errors.

Source: docs/api/native.md, section 1; the documents "Customers API" and "Payments API".
"""

from typing import Any

from bridge.authentication import guest_tokens, sessions
from bridge.errors import (
    BridgeError,
    Detail,
    InvalidRequest,
    NotAuthenticated,
    NotFound,
    PaymentDeclined,
)
from bridge.inbound import Request, Response
from bridge.models.caller import Caller, PrefetchIds
from bridge.models.identifier import is_well_formed
from bridge.models.page import Page

BODY_LIMIT = 256 * 1024

LIMIT, MOST, DEEPEST = 100, 500, 10_000

ANY_DEPTH = 10**15  # an organization's list of customers has any offset


def authenticate(request: Request) -> Caller:
    """The caller, by the first credential that is present (B6).

    The order is Bearer, X-Session-ID, session_id, guest token. A caller without any is nobody.
    Raises NotAuthenticated, AuthUnavailable, InvalidRequest.
    """
    if (authorization := request.headers.get("authorization")) is not None:
        scheme, _, token = authorization.strip().partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise NotAuthenticated("Authorization must be Bearer", code="session_invalid")
        return _by_session(request, token.strip())
    for given in (request.headers.get("x-session-id"), request.query.get("session_id")):
        if given is not None:
            return _by_session(request, given.strip())
    for given in (request.headers.get("x-guest-token"), request.query.get("guest_token")):
        if given is not None:
            return guest_tokens.authenticate(given.strip())
    return Caller()


def _by_session(request: Request, session_id: str) -> Caller:
    user_agent = request.headers.get("user-agent", "")
    return sessions.authenticate(
        session_id, _prefetch_ids(request), ip=request.source_ip, user_agent=user_agent
    )


def _prefetch_ids(request: Request) -> PrefetchIds:
    """The records that the request names: they are read together with the session, in one batch."""
    given = request.path_parameters.get("id", "")
    if not is_well_formed(given):
        return PrefetchIds()
    if "/customers/" in request.path or "/payment-methods/customer/" in request.path:
        return PrefetchIds(customer_id=given)
    if "/payment-methods/" in request.path:
        return PrefetchIds(method_id=given)
    if "/addresses/" in request.path:
        return PrefetchIds(address_id=given)
    key = request.headers.get("idempotency-key") if request.method == "POST" else None
    return PrefetchIds(payment_id=given, client_key=key)


def read_id(request: Request) -> str:
    """The id in the path, as it was sent."""
    return request.path_parameters["id"]


def read_email(request: Request) -> str:
    """The e-mail address in the path. A space was a plus sign that a client decoded (B10)."""
    return request.path_parameters["email"].replace(" ", "+")


def read_page(request: Request) -> Page:
    """The page and the filters of a list. Raises InvalidRequest."""
    return _read_page(request, DEEPEST)


def read_customers_page(request: Request) -> Page:
    """The same for customers. An organization's list has any offset. Raises InvalidRequest."""
    deepest = ANY_DEPTH if request.query.get("organization_id") else DEEPEST
    return _read_page(request, deepest)


def _read_page(request: Request, deepest: int) -> Page:
    """The page of a list. Raises InvalidRequest that names every invalid parameter."""
    errors: list[Detail] = []
    limit = _number(request, "limit", LIMIT, 1, MOST, errors)
    page = _number(request, "page", 1, 1, deepest + 1, errors)
    offset = _number(request, "offset", (page - 1) * limit, 0, deepest, errors)
    if not errors and offset > deepest:
        errors.append(Detail("page", f"must not lead beyond record {deepest}"))
    if errors:
        names = ", ".join(error.field for error in errors)
        raise InvalidRequest(f"not valid: {names}", details=errors)
    narrowed = {
        name: request.query.get(name) or None
        for name in ("organization_id", "provider_id", "customer_id")
    }
    return Page(limit=limit, offset=offset, **narrowed)


def _number(
    request: Request, name: str, default: int, low: int, high: int, errors: list[Detail]
) -> int:
    text = request.query.get(name)
    if text is None:
        return default
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 17 else -1
    if not low <= number <= high:
        errors.append(Detail(name, f"must be a whole number from {low} to {high}"))
    return number


def replayed(is_replayed: bool) -> dict[str, str]:
    """The header of a response that is the stored one of the same idempotency key (B17)."""
    return {"Idempotent-Replayed": "true"} if is_replayed else {}


def render_error(error: BridgeError, request_id: str) -> dict[str, Any]:
    """The error body (B5)."""
    body: dict[str, Any] = {"error": str(error), "code": error.code}
    if error.details:
        body["details"] = [detail._asdict() for detail in error.details]
    if isinstance(error, PaymentDeclined):
        body |= {"decline_code": error.decline_code, "payment_id": error.payment_id}
    return body | {"request_id": request_id}


def render_unmatched(request: Request) -> Response:
    """308 to the clean path for a doubled or trailing slash, otherwise 404 (section 1)."""
    if location := request.clean_target:
        return Response({"error": "moved", "code": "moved"}, 308, {"Location": location})
    return Response(render_error(NotFound("no such path"), request.id), 404)
