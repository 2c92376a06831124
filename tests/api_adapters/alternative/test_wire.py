"""Errors, objects and times of the Alternative Payments API.

Source: docs/api/alternative.md, sections 3 and 8.
"""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from bridge.api_adapters.alternative import wire
from bridge.errors import (
    AuthUnavailable,
    BodyTooLarge,
    BridgeError,
    Conflict,
    Detail,
    Forbidden,
    InvalidRequest,
    NotAuthenticated,
    NotFound,
    RateLimited,
    TemporarilyUnavailable,
)
from bridge.models.customer import Customer, CustomerUser
from bridge.models.payment_method import PaymentMethod
from tests.api_adapters.conftest import AT

NAME = [Detail("name", "is too long"), Detail("name", "is odd"), Detail("email", "is odd")]
SUFFIX = "01kghch8h0frsaj9kmjnbzfytr"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InvalidRequest("the body is not valid JSON", code="invalid_json"), 400, "bad_request"),
        (InvalidRequest("not valid: name"), 400, "bad_request"),
        (NotAuthenticated("who?", code="credential_invalid"), 401, "unauthorized"),
        (NotAuthenticated("an organization's key is required"), 401, "unauthorized"),
        (Forbidden("no", code="invalid_credentials"), 403, "invalid_credentials"),
        (NotFound(), 404, "not_found"),
        (BodyTooLarge("too much"), 413, "payload_too_large"),
        (InvalidRequest("no", code=wire.OVER_LIMIT), 422, "validation_failed"),
        (Conflict("it is deleted", code="customer_deleted"), 422, "validation_failed"),
        (RateLimited("slower", retry_after=1), 429, "rate_limited"),
        (BridgeError("something went wrong on our side"), 500, "internal_error"),
        (AuthUnavailable("later", retry_after=5), 503, "internal_error"),
        (TemporarilyUnavailable("later", retry_after=1), 503, "internal_error"),
    ],
)
def test_render_error_gives_every_error_its_status_and_code(
    error: BridgeError, status: int, code: str
) -> None:
    response = wire.render_error(error, "request-1")
    assert isinstance(response.body, dict)
    assert (response.status, response.body["code"]) == (status, code)
    assert response.body["message"]
    assert (response.body["validation_errors"], response.body["errors"]) == ({}, [])


def test_a4_render_error_lists_errors_by_field_and_flat() -> None:
    error = InvalidRequest("a field breaks its limit", code=wire.OVER_LIMIT, details=NAME)
    assert wire.render_error(error, "request-1").body == {
        "code": "validation_failed",
        "message": "Validation failed",
        "validation_errors": {"name": ["is too long", "is odd"], "email": ["is odd"]},
        "errors": [
            {"field": "name", "message": "is too long"},
            {"field": "name", "message": "is odd"},
            {"field": "email", "message": "is odd"},
        ],
    }


def test_a1_customer_and_user_have_exactly_the_documented_keys() -> None:
    customer = Customer(id=f"cust_{SUFFIX}", uid=SUFFIX, created_at=AT, updated_at=AT)
    assert wire.render_customer(customer) == {
        "id": f"cus_{SUFFIX}",
        "name": None,
        "email": None,
        "external_id": None,
        "default_payment_method_id": None,
        "created_at": "2026-01-15T10:30:00Z",
    }
    empty = replace(customer, name="", email="", external_id="")
    assert wire.render_customer(empty) == wire.render_customer(customer)
    user = CustomerUser(id=f"usr_{SUFFIX}", customer_id=customer.id, created_at=AT)
    assert wire.render_user(user) == {
        "id": f"usr_{SUFFIX}",
        "email": None,
        "first_name": None,
        "last_name": None,
        "job_title": None,
        "phone": None,
        "created_at": "2026-01-15T10:30:00Z",
    }


def test_render_methods_writes_month_in_two_and_year_in_four_digits() -> None:
    card = PaymentMethod(
        id=f"pm_{SUFFIX}",
        uid=SUFFIX,
        customer_id=f"cust_{SUFFIX}",
        provider_id="stripe",
        brand="MasterCard",
        last4="0115",
        exp_month=3,
        exp_year=2027,
        is_default=True,
        created_at=AT,
        updated_at=AT,
    )
    expected = {
        "id": f"pm_{SUFFIX}",
        "type": "card",
        "brand": "mastercard",
        "last4": "0115",
        "exp_month": "03",
        "exp_year": "2027",
        "default": True,
        "created_at": "2026-01-15T10:30:00Z",
    }
    unset = dict.fromkeys(("brand", "last4", "exp_month", "exp_year"))
    account = replace(card, **(unset | {"type": "bank_account", "is_default": False}))
    assert wire.render_methods([card, account]) == {
        "data": [expected, expected | unset | {"type": "bank_account", "default": False}]
    }


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-01-01T00:00:00Z", 0),
        ("2026-01-01t00:00:00.000z", 0),
        ("2026-01-01T02:00:00+02:00", 0),
        ("2026-01-01T02:00:00 02:00", 0),
        ("2025-12-31T23:59:60Z", 0),
        ("2025-12-31T20:30:00-03:30", 0),
        ("2026-01-01T00:00:59Z", 59),
    ],
)
def test_a7_created_at_filter_reads_every_spelling_of_a_time(text: str, seconds: int) -> None:
    read = wire.FILTERS["created_at_start"].read
    assert read(text) == datetime(2026, 1, 1, 0, 0, seconds, tzinfo=UTC)
