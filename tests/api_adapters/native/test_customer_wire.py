"""Customers as the native API shows them. Source: docs/api/native.md, section 3."""

import msgspec
import pytest

from bridge.api_adapters.native import customer_wire
from bridge.authentication import guest_tokens
from bridge.models.customer import Customer, CustomerResult
from tests.api_adapters.conftest import AT
from tests.response_fields import CUSTOMER_FIELDS

pytestmark = pytest.mark.usefixtures("tables")


def customer(**more: object) -> Customer:
    known = {"id": "cust_1", "uid": "1", "created_at": AT, "updated_at": AT}
    return msgspec.convert(known | more, Customer)


def test_render_customer_has_all_fields_with_null_for_unset() -> None:
    body = customer_wire.render_customer(customer())
    assert body.keys() == CUSTOMER_FIELDS
    assert {name for name, value in body.items() if value is None} == CUSTOMER_FIELDS - {
        *("id", "is_guest", "metadata", "created_at", "updated_at")
    }
    assert body["created_at"] == "2026-01-15T10:30:00Z"


def test_render_customer_has_guest_email_for_a_guest_only() -> None:
    guest = customer_wire.render_customer(customer(is_guest=True, email="a@example.com"))
    assert guest["guest_email"] == guest["email"] == "a@example.com"
    user = customer_wire.render_customer(customer(user_id="user_1", email="a@example.com"))
    assert user["guest_email"] is None


def test_b8_new_guest_gets_a_token_that_opens_the_record() -> None:
    made = customer(is_guest=True, email="a@example.com")
    response = customer_wire.render_new_customer(CustomerResult(customer=made))
    assert response.status == 201
    assert isinstance(response.body, dict)
    assert guest_tokens.authenticate(response.body["guest_token"]).guest_of == "cust_1"
    of_user = customer_wire.render_new_customer(CustomerResult(customer=customer(user_id="user_1")))
    assert isinstance(of_user.body, dict)
    assert "guest_token" not in of_user.body


def test_b17_replayed_response_of_a_new_customer_has_its_header() -> None:
    result = CustomerResult(customer=customer(), replayed=True)
    assert customer_wire.render_new_customer(result).headers == {"Idempotent-Replayed": "true"}


def test_render_customers_is_a_list_of_whole_customers() -> None:
    found = [customer(), customer(id="cust_2")]
    listed = customer_wire.render_customers(found)
    assert listed == [customer_wire.render_customer(each) for each in found]
    assert [each["id"] for each in listed] == ["cust_1", "cust_2"]
