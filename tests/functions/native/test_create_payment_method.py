"""POST /bridge-payment/payment-methods. Source: docs/api/native.md, section 5."""

from collections.abc import Callable

import pytest

from functions.native.create_payment_method.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import (
    Api,
    Reply,
)
from tests.response_fields import (
    METHOD_FIELDS,
)

MASTERCARD = {"provider_payment_method_id": "pm_card_mastercard"}


def attached(stripe: StripeSimulator) -> list[str]:
    return [each.id for each in stripe.world.methods.values() if each.customer]


def test_create_method_with_event_file_returns_201_with_all_fields(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/create_payment_method")
    assert reply.status == 201
    assert reply.body.keys() == METHOD_FIELDS
    assert reply.body["id"].startswith("pm_")
    assert reply.body["alias"] == "Company card"
    assert reply.body["brand"] == "mastercard"


def test_create_method_attaches_token_and_returns_both_field_names(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    method = api.method(metadata={"a": 1})
    token = method["provider_payment_method_id"]
    assert attached(stripe_simulator) == [token]
    stripe_method = stripe_simulator.world.methods[token]
    customer = api.get(f"/customers/{method['customer_id']}").body
    assert stripe_method.customer == customer["provider_customer_id"]
    assert (method["type"], method["payment_type"]) == ("card", "card")
    assert (method["brand"], method["card_brand"]) == ("visa", "visa")
    assert (method["last4"], method["last_four"]) == ("4242", "4242")
    assert (method["exp_month"], method["exp_year"]) == (
        stripe_method.exp_month,
        stripe_method.exp_year,
    )
    assert (method["metadata"], method["alias"], method["billing_address_id"]) == (
        {"a": 1},
        None,
        None,
    )
    assert api.get(f"/payment-methods/{method['id']}").body == method


@pytest.mark.parametrize(
    "name", ["provider_payment_method_id", "provider_payment_method_token", "token"]
)
def test_create_method_accepts_three_field_names_for_token(api: Api, name: str) -> None:
    reply = api.post("/payment-methods", {name: "pm_card_amex"})
    assert (reply.status, reply.body["brand"]) == (201, "amex")


def test_create_method_without_token_returns_400_on_first_field_name(api: Api) -> None:
    reply = api.post("/payment-methods", {"alias": "x"})
    assert (reply.status, reply.fields) == (400, {"provider_payment_method_id"})


def test_first_method_becomes_default_until_is_default_chooses_another(api: Api) -> None:
    first, second = api.method(), api.method()
    assert (first["is_default"], second["is_default"]) == (True, False)
    third = api.method(is_default=True)
    assert third["is_default"]
    defaults = {each["id"]: each["is_default"] for each in api.get("/payment-methods").body}
    assert defaults == {first["id"]: False, second["id"]: False, third["id"]: True}


def test_b18_create_method_without_customer_uses_own_customer(api: Api) -> None:
    method = api.method()
    (customer,) = api.get("/customers").body
    assert method["customer_id"] == customer["id"]
    assert api.method()["customer_id"] == customer["id"]
    inside = api.method(organization_id="org_456")
    assert api.get(f"/customers/{inside['customer_id']}").body["organization_id"] == "org_456"


def test_b18_create_method_with_customer_of_others_returns_404(api: Api, stranger: Api) -> None:
    mine = api.customer()
    assert api.method(customer_id=mine["id"])["customer_id"] == mine["id"]
    for customer_id in (mine["id"], "cust_nobody"):
        reply = stranger.post("/payment-methods", MASTERCARD | {"customer_id": customer_id})
        assert (reply.status, reply.code) == (404, "not_found")


@pytest.mark.parametrize("token", ["pm_nobody_knows", "pm_card_chargeDeclined"])
def test_create_method_with_token_refused_by_provider_returns_400_on_sent_field(
    api: Api, token: str, stripe_simulator: StripeSimulator
) -> None:
    reply = api.post("/payment-methods", {"token": token})
    assert (reply.status, reply.code, reply.fields) == (400, "validation_failed", {"token"})
    assert attached(stripe_simulator) == []
    assert api.get("/payment-methods").body == []


def test_create_method_with_token_of_other_customer_returns_400(api: Api, stranger: Api) -> None:
    token = api.method()["provider_payment_method_id"]
    reply = stranger.post("/payment-methods", {"token": token})
    assert (reply.status, reply.fields) == (400, {"token"})


def test_create_method_with_saved_token_returns_its_method_unchanged(api: Api) -> None:
    method = api.method(alias="first")
    again = api.post("/payment-methods", {"token": method["provider_payment_method_id"]})
    assert (again.status, again.body) == (201, method)
    assert api.get("/payment-methods").body == [method]


def test_create_method_with_token_of_deleted_method_returns_400(api: Api) -> None:
    method = api.method()
    assert api.delete(f"/payment-methods/{method['id']}").status == 204
    again = api.post("/payment-methods", {"token": method["provider_payment_method_id"]})
    assert (again.status, again.fields) == (400, {"token"})


def test_b17_create_method_with_same_key_is_replayed(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    keyed = api.with_headers(idempotency_key="k1")
    first = keyed.post("/payment-methods", MASTERCARD)
    again = keyed.post("/payment-methods", MASTERCARD)
    assert (first.status, first.replayed) == (201, False)
    assert (again.status, again.replayed, again.body) == (201, True, first.body)
    other = keyed.post("/payment-methods", {"token": "pm_card_visa"})
    assert (other.status, other.code) == (409, "idempotency_key_reused")
    assert len(attached(stripe_simulator)) == 1


@pytest.mark.parametrize("key", [None, "k1"])
@pytest.mark.parametrize("kind", ["drop_after", "500_after", "html_502"])
def test_create_method_with_lost_response_returns_504_and_retry_saves_it(
    api: Api, kind: str, key: str | None, stripe_simulator: StripeSimulator
) -> None:
    caller = api.with_headers(idempotency_key=key) if key else api
    body = {"token": stripe_simulator.seed_method("pm_from_the_browser", None)["id"]}
    stripe_simulator.fault("attach", kind, times=2)
    assert caller.post("/payment-methods", body).status == 504
    assert api.get("/payment-methods").body == []
    retried = caller.post("/payment-methods", body)
    assert (retried.status, retried.replayed) == (201, False)
    assert attached(stripe_simulator) == ["pm_from_the_browser"]
    assert api.get("/payment-methods").body == [retried.body]


def test_create_method_with_rate_limit_of_provider_returns_503_and_saves_nothing(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    api.customer()
    stripe_simulator.fault("attach", "429")
    reply = api.post("/payment-methods", MASTERCARD)
    assert (reply.status, reply.code) == (503, "provider_unavailable")
    assert api.get("/payment-methods").body == []


@pytest.mark.parametrize("provider", ["paypal", "authorize_net"])
def test_create_method_with_unavailable_provider_returns_400_on_field(
    api: Api, provider: str
) -> None:
    reply = api.post("/payment-methods", MASTERCARD | {"provider_id": provider})
    assert (reply.status, reply.fields) == (400, {"provider_id"})


@pytest.mark.parametrize(
    ("role", "status"), [("owner", 201), ("admin", 201), ("billing", 201), ("member", 403)]
)
def test_b9_create_method_in_organization_needs_writing_role(
    api: Api, signed_in: Callable[..., Api], role: str, status: int
) -> None:
    customer = api.customer(organization_id="org_456")
    colleague = signed_in("user_1", org_456=role)
    body = MASTERCARD | {"customer_id": customer["id"]}
    assert colleague.post("/payment-methods", body).status == status
    body = MASTERCARD | {"organization_id": "org_456"}
    assert colleague.post("/payment-methods", body).status == status


CARDS: list[tuple[dict[str, object], set[str]]] = [
    ({"token": "4242424242424242"}, {"token"}),
    ({"alias": "Visa 4242-4242-4242-4242"}, {"alias"}),
    ({"metadata": {"note": 4242424242424242}}, {"metadata.note"}),
    ({"card": {"number": "378282246310005"}, "cvc": "123"}, {"card.number"}),
]


@pytest.mark.parametrize(("more", "fields"), CARDS)
def test_card_number_in_any_field_returns_400_without_its_value(
    api: Api, stripe_simulator: StripeSimulator, more: dict[str, object], fields: set[str]
) -> None:
    reply = api.post("/payment-methods", MASTERCARD | more)
    assert (reply.status, reply.code, reply.fields) == (400, "validation_failed", fields)
    assert "4242" not in reply.text
    assert stripe_simulator.requests == []
    path = f"/payment-methods/{api.method()['id']}"
    assert api.put(path, more).fields == fields


def test_card_number_in_card_field_returns_400_on_other_paths(api: Api) -> None:
    card = {"card_number": "4242 4242 4242 4242"}
    customer, payment = api.customer(), api.payment()
    for method, path in (
        ("POST", "/customers"),
        ("PUT", f"/customers/{customer['id']}"),
        ("POST", "/payments/intents"),
        ("PATCH", f"/payments/intents/{payment['id']}"),
        ("POST", f"/payments/confirm/{payment['id']}"),
        ("POST", f"/payments/{payment['id']}/cancel"),
        ("POST", f"/payments/{payment['id']}/refund"),
    ):
        for body, field in ((card, "card_number"), ({"metadata": card}, "metadata.card_number")):
            reply = api.send(method, f"/bridge-payment{path}", body)
            assert (reply.status, reply.fields) == (400, {field}), path
    kept = {"metadata": {"order": "4242424242424242"}}
    assert api.put(f"/customers/{customer['id']}", kept).status == 200
