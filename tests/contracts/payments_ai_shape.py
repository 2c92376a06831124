"""The shape of every response of the payments.ai API.

Source: docs/api/payments-ai.md, sections 1.1, 1.3, 1.4 and 4.
"""

import re
from typing import Any

from local.event import Answer

ERRORS = {
    308: ("MOVED", "Moved"),
    400: ("BAD_REQUEST", "Bad request"),
    401: ("UNAUTHORIZED", "Missing auth token"),
    403: ("FORBIDDEN", "Forbidden access"),
    404: ("NOT_FOUND", "Resource not found"),
    409: ("CONFLICT", "Conflict"),
    413: ("PAYLOAD_TOO_LARGE", "Request entity too large"),
    429: ("TOO_MANY_REQUESTS", "Too many requests"),
    500: ("INTERNAL_ERROR", "Internal server error"),
}
CUSTOMER = [
    "id", "organizationId", "firstName", "lastName", "email", "phoneNumber", "language", "address",
    "primaryAddress", "metadata", "customFields", "defaultPaymentInstrument", "status", "revision",
    "createdTime", "updatedTime", "deletedTime",
]  # fmt: skip
FIELD = ["name", "resource", "description", "typeSchema", "createdTime", "updatedTime"]
INSTRUMENT = [
    "id", "customerId", "type", "status", "creditCard", "billingAddress", "isDefault",
    "createdTime",
]  # fmt: skip
ID = re.compile("cus_[0-9a-hjkmnp-tv-z]{26}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
CLAUSE = re.compile(r"[^:]+: \S", re.DOTALL)
STATES = ("customer is deleted",)  # the only message without a field


def assert_payments_ai(answer: Answer, body: Any) -> None:
    """A response of any endpoint, by its status."""
    response = (answer.status, answer.headers, answer.body[:500])
    assert answer.status in {200, 201, *ERRORS}, response
    assert answer.header("Content-Type") == "application/json; charset=utf-8", response
    if answer.status in ERRORS:
        assert_error(answer.status, body)
    elif isinstance(body, list):
        assert_page(answer, body)
    else:
        assert_record(body)


def assert_error(status: int, body: Any) -> None:
    """The error body of a status. Only 400 and 409 have `details`."""
    code, message = ERRORS[status]
    details = ["details"] if status in (400, 409) else []
    assert list(body) == ["errorCode", "statusCode", "message", *details], body
    assert (body["errorCode"], body["statusCode"], body["message"]) == (code, status, message)
    if details and body["details"] not in STATES:
        assert CLAUSE.match(body["details"]), body


def assert_page(answer: Answer, body: list[Any]) -> None:
    """A page has as many records as its headers promise."""
    names = ("total", "limit", "offset")
    total, limit, offset = (int(str(answer.header(f"Pagination-{each}"))) for each in names)
    assert len(body) == min(limit, max(0, total - offset)), (total, limit, offset)
    for each in body:
        assert_record(each)


def assert_record(body: Any) -> None:
    """A custom field, a payment instrument or a customer. The order of the fields counts."""
    if "id" not in body:
        assert list(body) in (FIELD, [*FIELD, "type", "additionalSchema"]), body
        assert list(body["typeSchema"]) == ["type", "additionalSchema"], body
        return
    if "creditCard" in body:
        assert list(body) == INSTRUMENT, body
        assert ID.fullmatch(body["customerId"]), body
        return
    assert list(body) == CUSTOMER, body
    assert ID.fullmatch(body["id"]), body
    assert (body["status"] == "deleted") == (body["deletedTime"] is not None), body
    assert type(body["revision"]) is int, body
    assert isinstance(body["metadata"], dict), body
    assert isinstance(body["customFields"], dict), body
    assert all(TIME.fullmatch(body[each]) for each in ("createdTime", "updatedTime")), body
