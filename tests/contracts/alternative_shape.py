"""The shape of every response of the Alternative Payments API.

Source: docs/api/alternative.md, sections 3, 4 and 5.
"""

import json
import re
from typing import Any

CODES = {
    308: "moved", 400: "bad_request", 401: "unauthorized", 403: "invalid_credentials",
    404: "not_found", 413: "payload_too_large", 422: "validation_failed", 503: "internal_error",
}  # fmt: skip
CUSTOMER = {"id", "name", "email", "external_id", "default_payment_method_id", "created_at"}
USER = {"id", "email", "first_name", "last_name", "job_title", "phone", "created_at"}
PAGE = {"data", "start_cursor", "end_cursor", "has_next_page", "has_previous_page"}
METHOD = {"id", "type", "brand", "last4", "exp_month", "exp_year", "default", "created_at"}
TOKEN = {"access_token", "expires_in", "token_type"}
ID = re.compile("(cus|usr)_[0-9a-z]{26}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def assert_alternative(status: int, body: Any) -> None:
    """A response of any endpoint, by its status."""
    if status in CODES:
        assert body["code"] == CODES[status], body
        assert_error(body)
        return
    assert status in (200, 201), body
    if body.keys() == PAGE:
        assert_page(body)
    elif body.keys() == {"data"}:
        assert all(each.keys() == METHOD for each in body["data"]), body
    elif body.keys() != TOKEN:
        assert_record(body)


def assert_error(body: Any) -> None:
    """`errors` contains the same messages as `validation_errors`, as a flat list."""
    assert body.keys() == {"code", "message", "validation_errors", "errors"}, body
    assert isinstance(body["message"], str), body
    assert body["message"].strip(), body
    flat = [
        {"field": field, "message": message}
        for field, messages in body["validation_errors"].items()
        for message in messages
    ]
    by_field = sorted(body["errors"], key=json.dumps)
    assert sorted(flat, key=json.dumps) == by_field, body


def assert_page(body: Any) -> None:
    """A page of records with its cursors."""
    for each in body["data"]:
        assert_record(each)
    for name in ("start_cursor", "end_cursor"):
        assert (body[name] is None) == (not body["data"]), body
        assert body[name] is None or re.fullmatch("[A-Za-z0-9_-]+", body[name]), body
    assert type(body["has_next_page"]) is type(body["has_previous_page"]) is bool, body


def assert_record(body: Any) -> None:
    """A customer or a contact."""
    assert body.keys() in (CUSTOMER, USER), body
    assert ID.fullmatch(body["id"]), body
    assert TIME.fullmatch(body["created_at"]), body
    assert "" not in body.values(), "what is unset is null"
    assert {type(each) for each in body.values()} <= {str, type(None)}, body
