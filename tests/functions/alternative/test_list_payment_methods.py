"""GET /customers/{id}/payment-methods. Source: docs/api/alternative.md, sections 4 and 6."""

from collections.abc import Callable
from typing import Any

import pytest

from functions.alternative.list_payment_methods.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.alternative.conftest import create, refusal
from tests.functions.conftest import TIME, Api, Reply

Company = dict[str, Any]
CARDS = ("pm_card_visa", "pm_card_mastercard", "pm_card_amex")


def test_the_event_file_returns_200_with_a_list(
    demo_data: None, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "alternative/list_payment_methods")
    assert (reply.status, reply.body) == (200, {"data": []})


@pytest.fixture
def member(stripe_simulator: StripeSimulator, signed_in: Callable[..., Api]) -> Api:
    return signed_in("user_1", org_1="admin")


def save(member: Api, company: Company, card: str) -> str:
    """Save a card for the company in the native API; returns its id."""
    customer_id = company["id"].replace("cus_", "cust_")
    body = {"token": card, "customer_id": customer_id, "organization_id": "org_1"}
    reply = member.post("/payment-methods", body)
    assert reply.status == 201, reply.text
    return str(reply.body["id"])


def test_a11_the_default_method_is_first_then_the_newest(
    merchant: Api, company: Company, member: Api
) -> None:
    target = f"/customers/{company['id']}"
    visa, mastercard, amex = (save(member, company, card) for card in CARDS)
    body = merchant.send("GET", f"{target}/payment-methods").body
    assert body.keys() == {"data"}
    assert [each["id"] for each in body["data"]] == [visa, amex, mastercard]
    assert [each["default"] for each in body["data"]] == [True, False, False]
    assert merchant.send("GET", target).body["default_payment_method_id"] == visa
    (listed,) = merchant.send("GET", "/customers").body["data"]
    assert listed["default_payment_method_id"] == visa
    assert member.delete(f"/payment-methods/{visa}").status == 204
    data = merchant.send("GET", f"{target}/payment-methods").body["data"]
    assert [(each["id"], each["default"]) for each in data] == [(amex, True), (mastercard, False)]
    assert merchant.send("GET", target).body["default_payment_method_id"] == amex


def test_a_method_has_exactly_the_documented_fields(
    merchant: Api, company: Company, member: Api
) -> None:
    saved = save(member, company, "pm_card_visa")
    native = member.get(f"/payment-methods/{saved}").body
    (method,) = merchant.send("GET", f"/customers/{company['id']}/payment-methods").body["data"]
    assert TIME.fullmatch(method["created_at"])
    assert method == {
        "id": saved,
        "type": "card",
        "brand": "visa",
        "last4": "4242",
        "exp_month": f"{native['exp_month']:02}",
        "exp_year": str(native["exp_year"]),
        "default": True,
        "created_at": native["created_at"],
    }


def test_methods_of_an_archived_customer_are_still_returned(
    merchant: Api, company: Company, member: Api
) -> None:
    target = f"/customers/{company['id']}"
    save(member, company, "pm_card_visa")
    before = merchant.send("GET", f"{target}/payment-methods").body
    archived = merchant.send("DELETE", target).body
    assert archived["default_payment_method_id"] == before["data"][0]["id"]
    reply = merchant.send("GET", f"{target}/payment-methods")
    assert (reply.status, reply.body) == (200, before)


def test_a_customer_without_methods_has_an_empty_list_and_an_unknown_one_returns_404(
    merchant: Api, rival: Api, company: Company
) -> None:
    target = f"/customers/{create(merchant)['id']}/payment-methods?limit=x&after=x"
    assert merchant.send("GET", target).body == {"data": []}
    target = f"/customers/{company['id']}/payment-methods"
    assert refusal(rival.send("GET", target)) == (404, "not_found", {})
    assert refusal(merchant.send("GET", "/customers/cus_x/payment-methods"))[0] == 404
