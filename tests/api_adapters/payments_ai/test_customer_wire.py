"""Customers of the payments.ai API. Source: docs/api/payments-ai.md, sections 1.3 and 2."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from bridge.api_adapters.payments_ai import customer_wire, wire
from bridge.errors import InvalidRequest
from bridge.inbound import respond
from bridge.models.customer import Customer, CustomerResult
from bridge.models.page import Counted, OffsetPage
from tests.api_adapters.conftest import request_of
from tests.functions.payments_ai.conftest import FIELDS

AT = datetime(2026, 3, 2, tzinfo=UTC)
LAMBDAS_LIMIT = 6 * 1024 * 1024


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ("", OffsetPage(limit=20)),
        ("limit=5&offset=2&search=%20ann%20", OffsetPage(limit=5, offset=2, search="ann")),
        ("q=ann&search=", OffsetPage(limit=20)),
        ("q=ann&sort=createdTime", OffsetPage(limit=20, search="ann", newest_first=False)),
    ],
)
def test_read_customers_page_has_search_and_order(query: str, page: OffsetPage) -> None:
    assert customer_wire.read_customers_page(request_of(query)) == page


def test_read_customers_page_reports_every_invalid_parameter() -> None:
    with pytest.raises(InvalidRequest) as error:
        customer_wire.read_customers_page(
            request_of(f"limit=x&offset=x&search={'x' * 256}&sort=name")
        )
    assert [each.field for each in error.value.details] == ["limit", "offset", "search", "sort"]


def test_render_new_customer_has_all_fields_and_a_location() -> None:
    (customer,) = customers(1, "x")
    response = customer_wire.render_new_customer(CustomerResult(customer=customer))
    assert (response.status, list(response.body)) == (201, FIELDS)  # type: ignore[call-overload]
    location = "/v1/public-api/organizations/org_1/customers/cus_1"
    assert response.headers == wire.JSON | {"Location": location}


def test_p6_render_customer_shows_the_status_of_a_deleted_customer() -> None:
    (customer,) = customers(1, "x")
    deleted = replace(customer, state="deleted", deleted_at=AT)
    for each, status, time in ((customer, "active", None), (deleted, "deleted", f"{AT:%FT%TZ}")):
        body: Any = customer_wire.render_customer(each).body
        assert (body["status"], body["deletedTime"]) == (status, time)


def customers(count: int, text: str) -> list[Customer]:
    """Customers with a text in each of their three free objects."""
    free: dict[str, Any] = {name: {"a": text} for name in ("address", "metadata", "custom_fields")}
    made = {"id": "cust_1", "uid": "1", "organization_id": "org_1", "created_at": AT}
    customer = msgspec.convert(made | free | {"updated_at": AT}, Customer)
    return [customer] * count


def payload(page: OffsetPage, found: list[Customer]) -> int:
    """The size of a response as Lambda counts it, in bytes."""
    response = customer_wire.render_customers(page, Counted(found, len(found)))
    return len(json.dumps(respond(200, response), ensure_ascii=False).encode())


@pytest.mark.parametrize("letter", ["x", '"', "é", "💶"])
def test_too_large_page_is_refused_with_the_greatest_limit_that_fits(letter: str) -> None:
    text = letter * (8000 // len(json.dumps(letter, ensure_ascii=False).encode()))
    found = customers(1000, text)
    with pytest.raises(InvalidRequest) as refused:
        payload(OffsetPage(limit=1000), found)
    ((field, message),) = refused.value.details
    fits = int(message.removeprefix("page too large, use at most "))
    assert field == "limit"
    assert payload(OffsetPage(limit=fits), found[:fits]) <= LAMBDAS_LIMIT
    assert payload(OffsetPage(limit=fits), found[:fits]) > 0.95 * LAMBDAS_LIMIT


def test_page_that_is_not_counted_fits_with_the_largest_customers() -> None:
    largest = customers(wire.SURELY_FITS, '"' * 4080)
    names = {"first_name": '"' * 255, "last_name": '"' * 255, "phone": '"' * 50, "email": "x" * 254}
    found = [replace(each, **names) for each in largest]
    assert payload(OffsetPage(limit=1000), found) <= LAMBDAS_LIMIT


def test_page_of_a_thousand_usual_customers_fits() -> None:
    assert payload(OffsetPage(limit=1000), customers(1000, "x" * 500)) < LAMBDAS_LIMIT
