"""POST /bridge-payment/addresses. Source: contracts/bridge.md section 5."""

from collections.abc import Callable

import pytest

from functions.native.create_address.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import ADDRESS, ADDRESS_FIELDS, Api, Reply


def test_the_event_file_is_answered_201_with_the_full_address(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/create_address")
    assert reply.status == 201
    assert reply.body.keys() == ADDRESS_FIELDS
    assert reply.body["id"].startswith("addr_")
    assert (reply.body["customer_id"], reply.body["is_default"]) == ("cust_456", True)


def test_what_is_sent_is_kept_and_what_is_not_is_null(api: Api) -> None:
    made = api.address(country=" us ", line1=" 1 Main Street ")
    shown = {"name", "line2", "state", "postal_code"}
    assert {name: made[name] for name in shown} == dict.fromkeys(shown)
    told = (made["type"], made["line1"], made["country"], made["is_default"])
    assert told == ("billing", "1 Main Street", "US", False)
    assert api.get(f"/addresses/{made['id']}").body == made


def test_b5_all_fields_at_fault_are_named(api: Api) -> None:
    reply = api.post("/addresses", {"type": "home", "city": " ", "country": "UK", "line2": 7})
    assert reply.status == 400
    assert reply.fields == {"type", "line1", "line2", "city", "country"}


@pytest.mark.parametrize("country", ["USA", "U", "", "ÜS", "ZZ", 1])
def test_a_country_is_an_iso_3166_1_alpha_2_code(api: Api, country: object) -> None:
    assert api.post("/addresses", ADDRESS | {"country": country}).fields == {"country"}


def test_without_a_customer_it_is_the_callers_own_and_a_named_one_must_be(
    api: Api, stranger: Api
) -> None:
    made = api.address()
    (customer,) = api.get("/customers").body
    assert made["customer_id"] == customer["id"]
    assert api.address()["customer_id"] == customer["id"]
    other = api.customer()
    assert api.address(customer_id=other["id"])["customer_id"] == other["id"]
    for named in (other["id"], "cust_nobody", "no body"):
        assert stranger.post("/addresses", ADDRESS | {"customer_id": named}).status == 404


def test_one_address_of_a_type_is_the_default(api: Api) -> None:
    first, shipping = api.address(is_default=True), api.address(type="shipping", is_default=True)
    second = api.address(is_default=True)
    shown = {each["id"]: each["is_default"] for each in api.get("/addresses").body}
    assert shown == {first["id"]: False, shipping["id"]: True, second["id"]: True}


def test_b17_a_repeated_request_is_one_address(api: Api) -> None:
    keyed = api.bearing(idempotency_key="k1")
    first, again = (keyed.post("/addresses", ADDRESS | {"is_default": True}) for _ in range(2))
    assert (first.status, first.replayed) == (201, False)
    assert (again.status, again.replayed, again.body) == (201, True, first.body)
    assert keyed.post("/addresses", ADDRESS | {"city": "x"}).code == "idempotency_key_reused"
    assert api.get("/addresses").body == [first.body]


def test_a_card_number_in_any_field_is_refused(api: Api) -> None:
    reply = api.post("/addresses", ADDRESS | {"line2": "4242 4242 4242 4242"})
    assert (reply.status, reply.fields) == (400, {"line2"})


def test_a_method_bills_to_an_address_of_its_own_customer(api: Api) -> None:
    mine = api.address()
    other = api.address(customer_id=api.customer()["id"])
    assert api.method(billing_address_id=mine["id"])["billing_address_id"] == mine["id"]
    for named in (other["id"], "addr_nobody", "no id"):
        asked = {"token": "pm_card_visa", "billing_address_id": named}
        assert api.post("/payment-methods", asked).fields == {"billing_address_id"}


@pytest.mark.parametrize(
    ("role", "status"), [("owner", 201), ("admin", 201), ("billing", 201), ("member", 403)]
)
def test_b9_writing_roles_write_for_an_organizations_customer(
    api: Api, signed_in: Callable[..., Api], role: str, status: int
) -> None:
    customer = api.customer(organization_id="org_456")
    colleague = signed_in("user_1", org_456=role)
    for more in ({"customer_id": customer["id"]}, {"organization_id": "org_456"}):
        assert colleague.post("/addresses", ADDRESS | more).status == status
