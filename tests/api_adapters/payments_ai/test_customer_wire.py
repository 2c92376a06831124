"""Customers of the payments.ai API. Source: docs/api/payments-ai.md, sections 1.3 and 2."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bridge.api_adapters.payments_ai import customer_wire, wire
from bridge.errors import Detail, InvalidRequest
from bridge.inbound import Request, respond
from bridge.models.customer import Customer, CustomerFields, CustomerResult
from bridge.models.page import Counted, OffsetPage
from tests.api_adapters.conftest import request_of
from tests.functions.payments_ai.conftest import FIELDS

AT = datetime(2026, 3, 2, tzinfo=UTC)
LAMBDAS_LIMIT = 6 * 1024 * 1024


def change_of(body: dict[str, Any]) -> Request:
    return request_of(method="PUT", body=body, path_parameters={"id": "cus_1"})


def refused(body: dict[str, Any]) -> list[Detail]:
    """The errors of a creation that must be refused."""
    with pytest.raises(InvalidRequest) as error:
        customer_wire.read_new_customer(request_of(method="POST", body=body))
    return error.value.details


def test_read_new_customer_uses_our_names_and_only_sent_fields() -> None:
    body = {
        "firstName": "Nadia",
        "email": "nadia@example.com",
        "phoneNumber": "+44 20",
        "language": "EN",
        "address": {"country": "gb", "city": "London", "more": 1},
        "metadata": {"a": {"b": 1}},
        "customFields": None,
        "unknown": 1,
    }
    fields = customer_wire.read_new_customer(request_of(method="POST", body=body))
    expected = CustomerFields(
        first_name="Nadia",
        email="nadia@example.com",
        phone="+44 20",
        language="en",
        address={"country": "GB", "city": "London", "more": 1},
        metadata={"a": {"b": 1}},
        custom_fields={},
    )
    assert fields == expected
    assert fields.model_fields_set == expected.model_fields_set


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ({"firstName": 5}, [Detail("firstName", "must be a string")]),
        ({"lastName": "x" * 256}, [Detail("lastName", "must be at most 255 characters")]),
        ({"email": "nobody"}, [Detail("email", "must be a valid email address")]),
        ({"language": "eng"}, [Detail("language", "must be a two-letter ISO 639-1 code")]),
        ({"metadata": []}, [Detail("metadata", "must be an object")]),
        ({"metadata": {"": 1}}, [Detail("metadata", "keys must be 1 to 255 characters")]),
        (
            {"address": {"city": "x" * 101, "country": "GBR", "address": "x"}},
            [
                Detail("address.city", "must be at most 100 characters"),
                Detail("address.country", "must be a two-letter ISO 3166-1 code"),
                Detail("address.address", "not allowed, use address1"),
            ],
        ),
        (
            {"email": "x", "defaultPaymentInstrumentId": "pm_1"},
            [
                Detail("email", "must be a valid email address"),
                Detail("defaultPaymentInstrumentId", "does not belong to this customer"),
            ],
        ),
    ],
)
def test_read_new_customer_reports_every_invalid_field(
    body: dict[str, Any], details: list[Detail]
) -> None:
    assert refused(body) == details


def test_read_new_customer_refuses_a_card_number_in_a_card_field() -> None:
    (detail,) = refused({"metadata": {"cardNumber": "4242 4242 4242 4242"}})
    assert detail.field == "metadata.cardNumber"


def test_p11_primary_address_fills_flat_fields_that_are_not_sent() -> None:
    primary = {
        "firstName": "Nadia",
        "emails": [{"value": "a@example.com"}, {"value": "b@example.com", "primary": True}],
        "phoneNumbers": [{"value": "1"}, {"value": "2"}],
        "address": "1 Main Street",
        "postalCode": "62701",
    }
    body = {"firstName": None, "primaryAddress": primary}
    fields = customer_wire.read_customer_change(change_of(body))
    assert (fields.first_name, fields.email, fields.phone) == (None, "b@example.com", "1")
    assert fields.address == {"address1": "1 Main Street", "zip": "62701"}
    assert fields.primary_address == primary


@pytest.mark.parametrize(
    ("primary", "field"),
    [
        ({"emails": [{"value": "nobody"}]}, "primaryAddress.emails"),
        ({"country": "GBR"}, "primaryAddress.country"),
        ({"customerAddress": {"country": 5}}, "primaryAddress.customerAddress.country"),
        ({"lastName": "x" * 256}, "primaryAddress.lastName"),
    ],
)
def test_p11_error_of_a_derived_field_has_its_path_in_the_request(
    primary: dict[str, Any], field: str
) -> None:
    assert [detail.field for detail in refused({"primaryAddress": primary})] == [field]


def test_p19_read_customer_change_has_only_sent_fields_and_null_clears() -> None:
    fields = customer_wire.read_customer_change(
        change_of({"id": "cus_1", "lastName": None, "defaultPaymentInstrumentId": "pm_1"})
    )
    assert fields.model_fields_set == {"last_name", "default_method_id"}
    assert (fields.last_name, fields.default_method_id) == (None, "pm_1")


def test_read_customer_change_reports_another_id_with_the_other_errors() -> None:
    with pytest.raises(InvalidRequest) as error:
        customer_wire.read_customer_change(change_of({"id": "cus_2", "email": "nobody"}))
    assert error.value.details == [
        Detail("id", "cannot be changed"),
        Detail("email", "must be a valid email address"),
    ]


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
    deleted = customer.model_copy(update={"state": "deleted", "deleted_at": AT})
    for each, status, time in ((customer, "active", None), (deleted, "deleted", f"{AT:%FT%TZ}")):
        body: Any = customer_wire.render_customer(each).body
        assert (body["status"], body["deletedTime"]) == (status, time)


def customers(count: int, text: str) -> list[Customer]:
    """Customers with a text in each of their three free objects."""
    free: dict[str, Any] = {name: {"a": text} for name in ("address", "metadata", "custom_fields")}
    made = {"id": "cust_1", "uid": "1", "organization_id": "org_1", "created_at": AT}
    customer = Customer.model_validate(made | free | {"updated_at": AT})
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
    found = [each.model_copy(update=names) for each in largest]
    assert payload(OffsetPage(limit=1000), found) <= LAMBDAS_LIMIT


def test_page_of_a_thousand_usual_customers_fits() -> None:
    assert payload(OffsetPage(limit=1000), customers(1000, "x" * 500)) < LAMBDAS_LIMIT
