"""The payments.ai dialect by itself. Source: contracts/payments-ai.md, sections 1.4 and 2.3."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bridge.api_adapters.payments_ai import customer_wire, wire
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
from bridge.inbound import respond
from bridge.models.customer import Customer
from bridge.models.page import Counted, OffsetPage

AT = datetime(2026, 3, 2, tzinfo=UTC)
LAMBDAS_LIMIT = 6 * 1024 * 1024


@pytest.mark.parametrize(
    ("error", "status", "code", "message"),
    [
        (
            NotAuthenticated("no", code="credential_invalid"),
            401,
            "UNAUTHORIZED",
            "Missing auth token",
        ),
        (Forbidden("no"), 403, "FORBIDDEN", "Forbidden access"),
        (NotFound(), 404, "NOT_FOUND", "Resource not found"),
        (BodyTooLarge("no"), 413, "PAYLOAD_TOO_LARGE", "Request entity too large"),
        (RateLimited("no", retry_after=1), 429, "TOO_MANY_REQUESTS", "Too many requests"),
        (TemporarilyUnavailable("busy"), 500, "INTERNAL_ERROR", "Internal server error"),
        (AuthUnavailable("busy"), 500, "INTERNAL_ERROR", "Internal server error"),
        (BridgeError("bug"), 500, "INTERNAL_ERROR", "Internal server error"),
    ],
)
def test_d12_every_error_has_its_own_stable_words_and_no_details(
    error: BridgeError, status: int, code: str, message: str
) -> None:
    answer = wire.render_error(error, "r")
    body = {"errorCode": code, "statusCode": status, "message": message}
    assert (answer.status, answer.body) == (status, body)
    assert answer.headers == {"Content-Type": "application/json; charset=utf-8"}


@pytest.mark.parametrize(
    ("error", "status", "details"),
    [
        (Conflict("x", code="customer_deleted"), 409, "customer is deleted"),
        (
            Conflict("x", code="idempotency_key_reused"),
            409,
            "Idempotency-Key: was used with another request",
        ),
        (
            Conflict("x", code="custom_field_type_fixed"),
            409,
            "typeSchema.type: cannot be changed",
        ),
        (InvalidRequest("x", details=[Detail("a", "b"), Detail("c.d", "e")]), 400, "a: b; c.d: e"),
        (
            InvalidRequest("x", details=[Detail("custom_fields.a_b.c", "is wrong")]),
            400,
            "customFields.a_b.c: is wrong",
        ),
        (
            InvalidRequest("x", details=[Detail("constraints.max_length", "is wrong")]),
            400,
            "typeSchema.additionalSchema.maxLength: is wrong",
        ),
        (InvalidRequest("x", details=[Detail("a", "b")] * 11), 400, "; ".join(["a: b"] * 10)),
    ],
)
def test_d30_what_is_wrong_or_in_the_way_is_told_as_a_text(
    error: BridgeError, status: int, details: str
) -> None:
    answer = wire.render_error(error, "r")
    assert isinstance(answer.body, dict)
    assert (answer.status, answer.body["details"]) == (status, details)


def customers(count: int, text: str) -> list[Customer]:
    """Customers whose three free objects hold a text each."""
    held: dict[str, Any] = {name: {"a": text} for name in ("address", "metadata", "custom_fields")}
    made = {"id": "cust_1", "uid": "1", "organization_id": "org_1", "created_at": AT}
    customer = Customer.model_validate(made | held | {"updated_at": AT})
    return [customer] * count


def payload(page: OffsetPage, found: list[Customer]) -> int:
    """The bytes that Lambda counts."""
    answer = customer_wire.render_customers(page, Counted(found, len(found)))
    return len(json.dumps(respond(200, answer), ensure_ascii=False).encode())


@pytest.mark.parametrize("letter", ["x", '"', "é", "💶"])
def test_a_page_is_never_cut_and_what_it_names_as_most_fits(letter: str) -> None:
    text = letter * (8000 // len(json.dumps(letter, ensure_ascii=False).encode()))
    found = customers(1000, text)
    with pytest.raises(InvalidRequest) as refused:
        payload(OffsetPage(limit=1000), found)
    ((field, told),) = refused.value.details
    fits = int(told.removeprefix("page too large, use at most "))
    assert field == "limit"
    assert payload(OffsetPage(limit=fits), found[:fits]) <= LAMBDAS_LIMIT
    assert payload(OffsetPage(limit=fits), found[:fits]) > 0.95 * LAMBDAS_LIMIT


def test_the_largest_customers_fit_as_far_as_nobody_counts() -> None:
    largest = customers(wire.SURELY_FITS, '"' * 4080)
    names = {"first_name": '"' * 255, "last_name": '"' * 255, "phone": '"' * 50, "email": "x" * 254}
    found = [each.model_copy(update=names) for each in largest]
    assert payload(OffsetPage(limit=1000), found) <= LAMBDAS_LIMIT


def test_a_page_of_a_thousand_usual_customers_fits() -> None:
    assert payload(OffsetPage(limit=1000), customers(1000, "x" * 500)) < LAMBDAS_LIMIT
