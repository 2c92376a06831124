"""POST /bridge-payment/payment-methods. Source: contracts/bridge.md section 5."""

from collections.abc import Callable

import pytest

from functions.native.create_payment_method.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import METHOD_FIELDS, Api, Reply

MASTERCARD = {"provider_payment_method_id": "pm_card_mastercard"}


def attached(stripe: StripeSimulator) -> list[str]:
    return [each.id for each in stripe.world.methods.values() if each.customer]


def test_the_event_file_is_answered_201_with_the_full_method(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/create_payment_method")
    assert reply.status == 201
    assert reply.body.keys() == METHOD_FIELDS
    assert reply.body["id"].startswith("pm_")
    assert reply.body["alias"] == "Company card"
    assert reply.body["brand"] == "mastercard"


def test_a_token_is_attached_at_the_provider_and_shown_under_both_names(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    made = api.method(metadata={"a": 1})
    token = made["provider_payment_method_id"]
    assert attached(stripe_simulator) == [token]
    held = stripe_simulator.world.methods[token]
    customer = api.get(f"/customers/{made['customer_id']}").body
    assert held.customer == customer["provider_customer_id"]
    assert (made["type"], made["payment_type"]) == ("card", "card")
    assert (made["brand"], made["card_brand"]) == ("visa", "visa")
    assert (made["last4"], made["last_four"]) == ("4242", "4242")
    assert (made["exp_month"], made["exp_year"]) == (held.exp_month, held.exp_year)
    assert (made["metadata"], made["alias"], made["billing_address_id"]) == ({"a": 1}, None, None)
    assert api.get(f"/payment-methods/{made['id']}").body == made


@pytest.mark.parametrize(
    "name", ["provider_payment_method_id", "provider_payment_method_token", "token"]
)
def test_the_token_has_three_names(api: Api, name: str) -> None:
    reply = api.post("/payment-methods", {name: "pm_card_amex"})
    assert (reply.status, reply.body["brand"]) == (201, "amex")


def test_without_a_token_the_first_name_is_missed(api: Api) -> None:
    reply = api.post("/payment-methods", {"alias": "x"})
    assert (reply.status, reply.fields) == (400, {"provider_payment_method_id"})


def test_the_first_becomes_the_default_and_another_one_by_asking(api: Api) -> None:
    first, second = api.method(), api.method()
    assert (first["is_default"], second["is_default"]) == (True, False)
    third = api.method(is_default=True)
    assert third["is_default"]
    shown = {each["id"]: each["is_default"] for each in api.get("/payment-methods").body}
    assert shown == {first["id"]: False, second["id"]: False, third["id"]: True}


def test_b18_without_a_customer_it_is_saved_for_the_callers_own(api: Api) -> None:
    made = api.method()
    (customer,) = api.get("/customers").body
    assert made["customer_id"] == customer["id"]
    assert api.method()["customer_id"] == customer["id"]
    inside = api.method(organization_id="org_456")
    assert api.get(f"/customers/{inside['customer_id']}").body["organization_id"] == "org_456"


def test_b18_a_named_customer_must_be_the_callers(api: Api, stranger: Api) -> None:
    mine = api.customer()
    assert api.method(customer_id=mine["id"])["customer_id"] == mine["id"]
    for named in (mine["id"], "cust_nobody"):
        reply = stranger.post("/payment-methods", MASTERCARD | {"customer_id": named})
        assert (reply.status, reply.code) == (404, "not_found")


@pytest.mark.parametrize("token", ["pm_nobody_knows", "pm_card_chargeDeclined"])
def test_what_the_provider_does_not_take_is_refused_by_the_fields_name(
    api: Api, token: str, stripe_simulator: StripeSimulator
) -> None:
    reply = api.post("/payment-methods", {"token": token})
    assert (reply.status, reply.code, reply.fields) == (400, "validation_failed", {"token"})
    assert attached(stripe_simulator) == []
    assert api.get("/payment-methods").body == []


def test_another_customers_token_is_refused(api: Api, stranger: Api) -> None:
    token = api.method()["provider_payment_method_id"]
    reply = stranger.post("/payment-methods", {"token": token})
    assert (reply.status, reply.fields) == (400, {"token"})


def test_a_token_that_is_saved_already_is_answered_as_it_is(api: Api) -> None:
    made = api.method(alias="first")
    again = api.post("/payment-methods", {"token": made["provider_payment_method_id"]})
    assert (again.status, again.body) == (201, made)
    assert api.get("/payment-methods").body == [made]


def test_a_deleted_methods_token_is_not_saved_again(api: Api) -> None:
    made = api.method()
    assert api.delete(f"/payment-methods/{made['id']}").status == 204
    again = api.post("/payment-methods", {"token": made["provider_payment_method_id"]})
    assert (again.status, again.fields) == (400, {"token"})


def test_b17_a_repeated_request_is_one_method(api: Api, stripe_simulator: StripeSimulator) -> None:
    keyed = api.bearing(idempotency_key="k1")
    first = keyed.post("/payment-methods", MASTERCARD)
    again = keyed.post("/payment-methods", MASTERCARD)
    assert (first.status, first.replayed) == (201, False)
    assert (again.status, again.replayed, again.body) == (201, True, first.body)
    other = keyed.post("/payment-methods", {"token": "pm_card_visa"})
    assert (other.status, other.code) == (409, "idempotency_key_reused")
    assert len(attached(stripe_simulator)) == 1


@pytest.mark.parametrize("key", [None, "k1"])
@pytest.mark.parametrize("kind", ["drop_after", "500_after", "html_502"])
def test_an_answer_that_was_lost_is_found_by_the_retry(
    api: Api, kind: str, key: str | None, stripe_simulator: StripeSimulator
) -> None:
    caller = api.bearing(idempotency_key=key) if key else api
    asked = {"token": stripe_simulator.seed_method("pm_from_the_browser", None)["id"]}
    stripe_simulator.fault("attach", kind, times=2)
    assert caller.post("/payment-methods", asked).status == 504
    assert api.get("/payment-methods").body == []
    retried = caller.post("/payment-methods", asked)
    assert (retried.status, retried.replayed) == (201, False)
    assert attached(stripe_simulator) == ["pm_from_the_browser"]
    assert api.get("/payment-methods").body == [retried.body]


def test_with_the_provider_down_nothing_is_saved(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    api.customer()
    stripe_simulator.fault("attach", "429")
    reply = api.post("/payment-methods", MASTERCARD)
    assert (reply.status, reply.code) == (503, "provider_unavailable")
    assert api.get("/payment-methods").body == []


@pytest.mark.parametrize("provider", ["paypal", "authorize_net"])
def test_a_provider_that_is_not_open_is_a_400(api: Api, provider: str) -> None:
    reply = api.post("/payment-methods", MASTERCARD | {"provider_id": provider})
    assert (reply.status, reply.fields) == (400, {"provider_id"})


@pytest.mark.parametrize(
    ("role", "status"), [("owner", 201), ("admin", 201), ("billing", 201), ("member", 403)]
)
def test_b9_writing_roles_save_for_an_organizations_customer(
    api: Api, signed_in: Callable[..., Api], role: str, status: int
) -> None:
    customer = api.customer(organization_id="org_456")
    colleague = signed_in("user_1", org_456=role)
    asked = MASTERCARD | {"customer_id": customer["id"]}
    assert colleague.post("/payment-methods", asked).status == status
    asked = MASTERCARD | {"organization_id": "org_456"}
    assert colleague.post("/payment-methods", asked).status == status


CARDS: list[tuple[dict[str, object], set[str]]] = [
    ({"token": "4242424242424242"}, {"token"}),
    ({"alias": "Visa 4242-4242-4242-4242"}, {"alias"}),
    ({"metadata": {"note": 4242424242424242}}, {"metadata.note"}),
    ({"card": {"number": "378282246310005"}, "cvc": "123"}, {"card.number"}),
]


@pytest.mark.parametrize(("more", "fields"), CARDS)
def test_a_card_number_in_any_field_is_refused_and_not_told_again(
    api: Api, stripe_simulator: StripeSimulator, more: dict[str, object], fields: set[str]
) -> None:
    reply = api.post("/payment-methods", MASTERCARD | more)
    assert (reply.status, reply.code, reply.fields) == (400, "validation_failed", fields)
    assert "4242" not in reply.text
    assert stripe_simulator.requests == []
    path = f"/payment-methods/{api.method()['id']}"
    assert api.put(path, more).fields == fields


def test_elsewhere_a_field_that_is_named_like_a_cards_number_is_refused(api: Api) -> None:
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
