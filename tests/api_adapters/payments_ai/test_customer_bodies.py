"""The bodies of requests about customers. Source: docs/api/payments-ai.md, sections 1.3 and 2."""

from typing import Any

import pytest

from bridge.api_adapters.payments_ai import customer_bodies
from bridge.errors import Detail, InvalidRequest
from bridge.inbound import Request
from bridge.models.customer import CustomerFields
from tests.api_adapters.conftest import request_of


def change_of(body: dict[str, Any]) -> Request:
    return request_of(method="PUT", body=body, path_parameters={"id": "cus_1"})


def refused(body: dict[str, Any]) -> list[Detail]:
    """The errors of a creation that must be refused."""
    with pytest.raises(InvalidRequest) as error:
        customer_bodies.read_new_customer(request_of(method="POST", body=body))
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
    fields = customer_bodies.read_new_customer(request_of(method="POST", body=body))
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
    assert fields.keys() == expected.keys()


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
    fields = customer_bodies.read_customer_change(change_of(body))
    assert (fields["first_name"], fields["email"], fields["phone"]) == (None, "b@example.com", "1")
    assert fields["address"] == {"address1": "1 Main Street", "zip": "62701"}
    assert fields["primary_address"] == primary


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
    fields = customer_bodies.read_customer_change(
        change_of({"id": "cus_1", "lastName": None, "defaultPaymentInstrumentId": "pm_1"})
    )
    assert fields.keys() == {"last_name", "default_method_id"}
    assert (fields["last_name"], fields["default_method_id"]) == (None, "pm_1")


def test_read_customer_change_reports_another_id_with_the_other_errors() -> None:
    with pytest.raises(InvalidRequest) as error:
        customer_bodies.read_customer_change(change_of({"id": "cus_2", "email": "nobody"}))
    assert error.value.details == [
        Detail("id", "cannot be changed"),
        Detail("email", "must be a valid email address"),
    ]
