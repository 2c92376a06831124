"""POST /bridge-payment/addresses. Source: docs/api/native.md, section 5."""

from collections.abc import Callable

import pytest

from functions.native.create_address.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import (
    ADDRESS,
    Api,
    Reply,
)
from tests.response_fields import (
    ADDRESS_FIELDS,
)


def test_create_address_with_event_file_returns_201_with_all_fields(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/create_address")
    assert reply.status == 201
    assert reply.body.keys() == ADDRESS_FIELDS
    assert reply.body["id"].startswith("addr_")
    assert (reply.body["customer_id"], reply.body["is_default"]) == ("cust_456", True)


def test_create_address_trims_texts_and_sets_missing_fields_to_null(api: Api) -> None:
    address = api.address(country=" us ", line1=" 1 Main Street ")
    missing = {"name", "line2", "state", "postal_code"}
    assert {name: address[name] for name in missing} == dict.fromkeys(missing)
    stored = (address["type"], address["line1"], address["country"], address["is_default"])
    assert stored == ("billing", "1 Main Street", "US", False)
    assert api.get(f"/addresses/{address['id']}").body == address


def test_b5_create_address_reports_all_invalid_fields(api: Api) -> None:
    reply = api.post("/addresses", {"type": "home", "city": " ", "country": "UK", "line2": 7})
    assert reply.status == 400
    assert reply.fields == {"type", "line1", "line2", "city", "country"}


@pytest.mark.parametrize("country", ["USA", "U", "", "ÜS", "ZZ", 1])
def test_create_address_with_invalid_country_reports_country(api: Api, country: object) -> None:
    assert api.post("/addresses", ADDRESS | {"country": country}).fields == {"country"}


def test_create_address_uses_own_customer_and_returns_404_for_others(
    api: Api, stranger: Api
) -> None:
    address = api.address()
    (customer,) = api.get("/customers").body
    assert address["customer_id"] == customer["id"]
    assert api.address()["customer_id"] == customer["id"]
    other = api.customer()
    assert api.address(customer_id=other["id"])["customer_id"] == other["id"]
    for customer_id in (other["id"], "cust_nobody", "no body"):
        assert stranger.post("/addresses", ADDRESS | {"customer_id": customer_id}).status == 404


def test_new_default_address_replaces_default_of_same_type(api: Api) -> None:
    first, shipping = api.address(is_default=True), api.address(type="shipping", is_default=True)
    second = api.address(is_default=True)
    defaults = {each["id"]: each["is_default"] for each in api.get("/addresses").body}
    assert defaults == {first["id"]: False, shipping["id"]: True, second["id"]: True}


def test_b17_create_address_with_same_key_is_replayed(api: Api) -> None:
    keyed = api.with_headers(idempotency_key="k1")
    first, again = (keyed.post("/addresses", ADDRESS | {"is_default": True}) for _ in range(2))
    assert (first.status, first.replayed) == (201, False)
    assert (again.status, again.replayed, again.body) == (201, True, first.body)
    assert keyed.post("/addresses", ADDRESS | {"city": "x"}).code == "idempotency_key_reused"
    assert api.get("/addresses").body == [first.body]


def test_create_address_with_card_number_returns_400(api: Api) -> None:
    reply = api.post("/addresses", ADDRESS | {"line2": "4242 4242 4242 4242"})
    assert (reply.status, reply.fields) == (400, {"line2"})


def test_billing_address_of_method_must_belong_to_its_customer(api: Api) -> None:
    mine = api.address()
    other = api.address(customer_id=api.customer()["id"])
    assert api.method(billing_address_id=mine["id"])["billing_address_id"] == mine["id"]
    for address_id in (other["id"], "addr_nobody", "no id"):
        body = {"token": "pm_card_visa", "billing_address_id": address_id}
        assert api.post("/payment-methods", body).fields == {"billing_address_id"}


@pytest.mark.parametrize(
    ("role", "status"), [("owner", 201), ("admin", 201), ("billing", 201), ("member", 403)]
)
def test_b9_create_address_in_organization_needs_writing_role(
    api: Api, signed_in: Callable[..., Api], role: str, status: int
) -> None:
    customer = api.customer(organization_id="org_456")
    colleague = signed_in("user_1", org_456=role)
    for more in ({"customer_id": customer["id"]}, {"organization_id": "org_456"}):
        assert colleague.post("/addresses", ADDRESS | more).status == status
