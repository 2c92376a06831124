"""Monri WebPay v2: its credentials, requests, responses and errors.

Source: docs/api/monri.md, sections 4 and 5; the vendor's document "Customers API".
"""

import calendar
import hashlib
from datetime import UTC, date
from typing import Any

from bridge.authentication import merchants
from bridge.errors import BridgeError, Detail, InvalidRequest, NotFound
from bridge.inbound import Request, Response
from bridge.models.caller import Caller, PrefetchIds
from bridge.models.credential import AccessToken
from bridge.models.customer import Customer
from bridge.models.identifier import from_uuid, uuid_of
from bridge.models.page import Counted, OffsetPage
from bridge.models.payment_method import CustomersMethods, PaymentMethod
from bridge.models.run_context import RunContext
from bridge.models.text import utc_seconds

BODY_LIMIT = 256 * 1024
LIMIT, MOST, DEEPEST = 50, 500, 10**15
FIELDS = {  # of a customer: Monri's name, and the name in our models
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


def authenticate(request: Request) -> Caller:
    """The caller, by a digest or a bearer token.

    Raises NotAuthenticated, AuthUnavailable, and Forbidden if a bearer token lacks the scope.
    """
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
    """The record that the path names: it is read together with the credential, in one batch."""
    return PrefetchIds(customer_id=from_uuid("cust", request.path_parameters.get("uuid", "")))


def read_run(request: Request) -> RunContext:
    """The run context. It has no client key: a repeated creation makes a second customer (5.1)."""
    return RunContext(cause="api", ends_at=request.ends_at)


def read_id(request: Request) -> str:
    """Our id of the customer in the path. Raises NotFound if the path has no UUID."""
    if customer_id := from_uuid("cust", request.path_parameters["uuid"]):
        return customer_id
    raise NotFound


def read_owner(request: Request) -> tuple[str | None, str]:
    """Whose methods are asked for: our id if the path has a UUID, and the text of the path (M13).

    The text may be the merchant's own id of the customer.
    """
    given = request.path_parameters["uuid"]
    return from_uuid("cust", given), given


def read_merchant_customer_id(request: Request) -> str:
    """The merchant's id: the decoded rest of the path, with its slashes (M15)."""
    return request.path_parameters["merchant_customer_id"]


def read_page(request: Request) -> OffsetPage:
    """The page of a list. A repeated parameter counts by its last value (M12).

    Raises InvalidRequest that names every invalid parameter.
    """
    given = request.last_query
    limit, offset = _number(given.get("limit", f"{LIMIT}")), _number(given.get("offset", "0"))
    fits = {"limit": 1 <= limit <= MOST, "offset": offset >= 0}
    if errors := [Detail(name, "must be a valid number") for name in fits if not fits[name]]:
        names = ", ".join(error.field for error in errors)
        raise InvalidRequest(f"not valid: {names}", details=errors)
    return OffsetPage(limit=limit, offset=offset)


def _number(text: str) -> int:
    """The number, at most DEEPEST: a list is never that long. -1 if the text is not a number."""
    if not (text.isascii() and text.isdigit()):
        return -1
    digits = text.lstrip("0") or "0"
    return int(digits) if len(digits) < len(str(DEEPEST)) else DEEPEST


def render_token(token: AccessToken) -> dict[str, Any]:
    """The response with a new bearer token."""
    return {
        "access_token": token.token,
        "token_type": "Bearer",
        "expires_in": token.life_s,
        "status": "approved",
    }


def render_customer(customer: Customer) -> dict[str, Any]:
    """A customer. Source: docs/api/monri.md, section 4.1."""
    address = customer.address or {}
    return {
        **_ids_of(customer),
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


def _ids_of(customer: Customer) -> dict[str, Any]:
    """The UUID under both names: some clients read `id`, others `uuid`."""
    uuid = uuid_of(customer.uid)
    return {"status": "approved", "id": uuid, "uuid": uuid}


def render_deletion(customer: Customer) -> dict[str, Any]:
    """The response to a deletion."""
    return _ids_of(customer) | {"deleted": True}


def render_customers(page: Counted[Customer]) -> dict[str, Any]:
    """A page of customers."""
    return {"status": "approved", "data": [render_customer(each) for each in page.records]}


def render_methods(page: CustomersMethods) -> dict[str, Any]:
    """A page of a customer's payment methods. Source: docs/api/monri.md, section 5.7."""
    return {"status": "approved", "data": [_method(each, page) for each in page.methods]}


def _method(method: PaymentMethod, page: CustomersMethods) -> dict[str, Any]:
    """A payment method. Its `token` is 64 hex digits made from our id, never a provider's token."""
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
    """An error in Monri's form. A conflict is a 400: the caller can repair it (section 4.3)."""
    lines = [f"{LABELS.get(each.field, each.field)} {each.message}" for each in error.details]
    status = 400 if error.status == 409 else error.status
    return _refusal(status, *(lines or [MESSAGES.get(error.code, str(error))]))


def render_unmatched(request: Request) -> Response:
    """308 to the clean path for a doubled or trailing slash, otherwise 404."""
    if location := request.clean_target:
        return _refusal(308, "Resource has moved")._replace(headers={"Location": location})
    return _refusal(404, "Resource not found")


def _refusal(status: int, *lines: str) -> Response:
    ours = status in (401, 403, 429) or status >= 500
    word = "error" if ours else "invalid-request"
    return Response({"status": word, "message": lines[0], "errors": list(lines)}, status)
