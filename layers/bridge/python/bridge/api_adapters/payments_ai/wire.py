"""What the endpoints of the payments.ai API share: credentials, pages, errors.

Source: docs/api/payments-ai.md, sections 1 and 6.
"""

import json
import re
from typing import Any

from bridge.authentication import api_keys
from bridge.errors import (
    BridgeError,
    Detail,
    Forbidden,
    InvalidRequest,
    NotAuthenticated,
    NotFound,
)
from bridge.inbound import Request, Response
from bridge.models.caller import Caller, PrefetchIds
from bridge.models.page import OffsetPage
from bridge.models.run_context import RunContext

BODY_LIMIT = 4 * 1024 * 1024
LIMIT, MOST, LONGEST_KEY = 20, 1000, 100
CLAUSES = 10
# Lambda's limit for a response, less room for headers. A page of SURELY_FITS records never exceeds
# it, so it needs no counting.
ANSWER_BYTES, SURELY_FITS = 6 * 1024 * 1024 - 8 * 1024, 100
JSON = {"Content-Type": "application/json; charset=utf-8"}
INSTRUMENT_ID = re.compile(r"pm_[0-9a-hjkmnp-tv-z]{26}")
CUSTOMER_ID = re.compile(r"cus_([0-9a-hjkmnp-tv-z]{26})")
DIGITS = re.compile(r"[0-9]{1,15}")

ERRORS = {
    400: ("BAD_REQUEST", "Bad request"),
    401: ("UNAUTHORIZED", "Missing auth token"),
    403: ("FORBIDDEN", "Forbidden access"),
    404: ("NOT_FOUND", "Resource not found"),
    409: ("CONFLICT", "Conflict"),
    413: ("PAYLOAD_TOO_LARGE", "Request entity too large"),
    429: ("TOO_MANY_REQUESTS", "Too many requests"),
    500: ("INTERNAL_ERROR", "Internal server error"),
}
CONFLICTS = {
    "custom_field_type_fixed": "typeSchema.type: cannot be changed",
    "customer_deleted": "customer is deleted",
    "idempotency_key_reused": "Idempotency-Key: was used with another request",
}
# Messages of `strict_json.read_json` and what this API says instead. Others stay as they are.
BODY_MESSAGES = {
    "is not valid JSON": "must be valid JSON",
    "must be a JSON object": "must be an object",
}
# Names of constraints that differ in this API.
CONSTRAINTS = {"allowed_values": "allowedValues", "max_length": "maxLength"}
# Names of our models' fields, and the paths of these fields in this API.
PATHS = {
    "custom_fields": "customFields",
    "constraints": "typeSchema.additionalSchema",
    "default_method_id": "defaultPaymentInstrumentId",
}


def authenticate(request: Request) -> Caller:
    """The caller, by `Authorization: ApiKey <key>`, or by REB-APIKEY without that header (P4).

    Raises NotAuthenticated, and Forbidden if the key belongs to another organization.
    """
    key = request.headers.get("reb-apikey")
    if (authorization := request.headers.get("authorization")) is not None:
        scheme, _, key = authorization.strip().partition(" ")
        if scheme.lower() != "apikey":
            raise NotAuthenticated("Authorization must be ApiKey")
    if key is None:
        return Caller()
    known = CUSTOMER_ID.fullmatch(request.path_parameters.get("id", ""))
    prefetch_ids = PrefetchIds(customer_id=f"cust_{known[1]}") if known else PrefetchIds()
    caller = api_keys.authenticate(key.strip(), prefetch_ids)
    if caller.key_of != request.path_parameters["organization_id"]:
        raise Forbidden("this key is another organization's")
    return caller


def read_customer_id(request: Request) -> str:
    """Our own id of the customer in the path. Raises NotFound for an id of another form."""
    if not (found := CUSTOMER_ID.fullmatch(request.path_parameters["id"])):
        raise NotFound
    return f"cust_{found[1]}"


def read_run(request: Request) -> RunContext:
    """The run context, with the client's key, whose scope is one path. Raises InvalidRequest."""
    key = request.headers.get("idempotency-key")
    if key is not None and not 1 <= len(key) <= LONGEST_KEY:
        raise invalid([Detail("Idempotency-Key", f"must be 1 to {LONGEST_KEY} characters")])
    client_key = None if key is None else request.keyed(f"{request.path.rstrip('/')}\n{key}")
    return RunContext(
        cause="api", ends_at=request.ends_at, client_key=client_key, source_ip=request.source_ip
    )


def limits_of(query: dict[str, str], errors: list[Detail]) -> tuple[int, int]:
    """Limit and offset of a list. Adds an error for each invalid one; the result is then unused."""
    limit, offset = query.get("limit", str(LIMIT)), query.get("offset", "0")
    if not DIGITS.fullmatch(limit) or int(limit) > MOST:
        errors.append(Detail("limit", f"must be an integer between 0 and {MOST}"))
    if not DIGITS.fullmatch(offset):
        errors.append(Detail("offset", "must be an integer greater than or equal to 0"))
    return (0, 0) if errors else (int(limit), int(offset))


def invalid(errors: list[Detail]) -> InvalidRequest:
    """The exception for these errors."""
    names = ", ".join(error.field for error in errors)
    return InvalidRequest(f"not valid: {names}", details=errors)


def render_page(page: OffsetPage, records: list[dict[str, Any]], total: int) -> Response:
    """A page of a list, with its numbers in headers.

    Raises InvalidRequest if a response cannot hold the page. It names the limit that fits.
    """
    fits = _fitting(records)
    if fits < len(records):
        raise invalid([Detail("limit", f"page too large, use at most {fits}")])
    headers = {
        "Pagination-Total": str(total),
        "Pagination-Limit": str(page.limit),
        "Pagination-Offset": str(page.offset),
    }
    return Response(records, 200, JSON | headers)


def _fitting(records: list[dict[str, Any]]) -> int:
    """How many of the records fit into a response of Lambda, which holds JSON inside of JSON."""
    if len(records) <= SURELY_FITS:
        return len(records)
    left = ANSWER_BYTES
    for number, record in enumerate(records):
        text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
        left -= len(json.dumps(text, ensure_ascii=False).encode())
        if left < 0:
            return number
    return len(records)


def render_error(error: BridgeError, request_id: str) -> Response:  # noqa: ARG001 - in a header
    """An error in the one form of this API. A status that is not in its table is a 500 (1.4)."""
    status = error.status if error.status in ERRORS else 500
    code, message = ERRORS[status]
    body: dict[str, Any] = {"errorCode": code, "statusCode": status, "message": message}
    if status in (400, 409):
        body["details"] = _clauses(error)
    return Response(body, status, JSON)


def _clauses(error: BridgeError) -> str:
    if error.code in CONFLICTS:
        return CONFLICTS[error.code]
    if error.code == "invalid_json":
        message = str(error).removeprefix("the body ")
        return f"body: {BODY_MESSAGES.get(message, message)}"
    clauses = [f"{_path(each.field)}: {each.message}" for each in error.details[:CLAUSES]]
    return "; ".join(clauses) or str(error)


def _path(field: str) -> str:
    name, dot, below = field.partition(".")
    if name == "constraints":
        below = CONSTRAINTS.get(below, below)
    return PATHS.get(name, name) + dot + below


def render_unmatched(request: Request) -> Response:
    """308 to the clean path for a doubled or trailing slash, otherwise 404 (1.1)."""
    if location := request.clean_target:
        body = {"errorCode": "MOVED", "statusCode": 308, "message": "Moved"}
        return Response(body, 308, JSON | {"Location": location})
    return render_error(NotFound("no such path"), request.id)
