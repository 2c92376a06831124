"""Errors, objects and times of the Alternative Payments API.

Source: docs/api/alternative.md, sections 3 and 8.
"""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from bridge.api_adapters.alternative import wire
from bridge.errors import Detail, InvalidRequest
from bridge.models.customer import Customer, CustomerUser
from bridge.models.payment_method import PaymentMethod
from tests.api_adapters.conftest import AT, ERRORS

NAME = [Detail("name", "is too long"), Detail("name", "is odd"), Detail("email", "is odd")]
SUFFIX = "01kghch8h0frsaj9kmjnbzfytr"


ANSWERS = {  # status, code
    "invalid_json": (400, "bad_request"),
    "validation_failed": (400, "bad_request"),
    "credential_invalid": (401, "unauthorized"),
    "authentication_required": (401, "unauthorized"),
    "forbidden": (403, "invalid_credentials"),
    "not_found": (404, "not_found"),
    "customer_deleted": (422, "validation_failed"),
    "body_too_large": (413, "payload_too_large"),
    "rate_limited": (429, "rate_limited"),
    "internal_error": (500, "internal_error"),
    "auth_unavailable": (503, "internal_error"),
    "temporarily_unavailable": (503, "internal_error"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_render_error_gives_every_error_its_status_and_code(name: str) -> None:
    response = wire.render_error(ERRORS[name], "request-1")
    assert isinstance(response.body, dict)
    assert (response.status, response.body["code"]) == ANSWERS[name]
    assert response.body["message"]
    details = ERRORS[name].details
    assert response.body["errors"] == [detail._asdict() for detail in details]


def test_a_broken_limit_is_a_422() -> None:
    response = wire.render_error(InvalidRequest("no", code=wire.OVER_LIMIT), "request-1")
    assert isinstance(response.body, dict)
    assert (response.status, response.body["code"]) == (422, "validation_failed")
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
