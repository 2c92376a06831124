"""GET /customers/{id}/payment-methods. Source: contracts/alternative.md 4 and 6."""

from collections.abc import Callable
from typing import Any

import pytest

from functions.alternative.list_payment_methods.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.alternative.conftest import make, refusal
from tests.functions.conftest import TIME, Api, Reply

Company = dict[str, Any]
CARDS = ("pm_card_visa", "pm_card_mastercard", "pm_card_amex")


def test_the_event_file_is_answered_with_a_list(
    demo_data: None, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "alternative/list_payment_methods")
    assert (reply.status, reply.body) == (200, {"data": []})


@pytest.fixture
def member(stripe_simulator: StripeSimulator, signed_in: Callable[..., Api]) -> Api:
    return signed_in("user_1", org_1="admin")


def save(member: Api, company: Company, card: str) -> str:
    """A card that a member saves for the company in the native API."""
    customer_id = company["id"].replace("cus_", "cust_")
    body = {"token": card, "customer_id": customer_id, "organization_id": "org_1"}
    reply = member.post("/payment-methods", body)
    assert reply.status == 201, reply.text
    return str(reply.body["id"])


def test_d11_the_default_one_is_first_then_the_newest(
    merchant: Api, company: Company, member: Api
) -> None:
    target = f"/customers/{company['id']}"
    visa, mastercard, amex = (save(member, company, card) for card in CARDS)
    shown = merchant.send("GET", f"{target}/payment-methods").body
    assert shown.keys() == {"data"}
    assert [each["id"] for each in shown["data"]] == [visa, amex, mastercard]
    assert [each["default"] for each in shown["data"]] == [True, False, False]
    assert merchant.send("GET", target).body["default_payment_method_id"] == visa
    (listed,) = merchant.send("GET", "/customers").body["data"]
    assert listed["default_payment_method_id"] == visa
    assert member.delete(f"/payment-methods/{visa}").status == 204
    shown = merchant.send("GET", f"{target}/payment-methods").body["data"]
    assert [(each["id"], each["default"]) for each in shown] == [(amex, True), (mastercard, False)]
    assert merchant.send("GET", target).body["default_payment_method_id"] == amex


def test_a_method_has_exactly_the_documented_keys(
    merchant: Api, company: Company, member: Api
) -> None:
    saved = save(member, company, "pm_card_visa")
    native = member.get(f"/payment-methods/{saved}").body
    (shown,) = merchant.send("GET", f"/customers/{company['id']}/payment-methods").body["data"]
    assert TIME.fullmatch(shown["created_at"])
    assert shown == {
        "id": saved,
        "type": "card",
        "brand": "visa",
        "last4": "4242",
        "exp_month": f"{native['exp_month']:02}",
        "exp_year": str(native["exp_year"]),
        "default": True,
        "created_at": native["created_at"],
    }


def test_those_of_an_archived_customer_are_still_readable(
    merchant: Api, company: Company, member: Api
) -> None:
    target = f"/customers/{company['id']}"
    save(member, company, "pm_card_visa")
    before = merchant.send("GET", f"{target}/payment-methods").body
    archived = merchant.send("DELETE", target).body
    assert archived["default_payment_method_id"] == before["data"][0]["id"]
    reply = merchant.send("GET", f"{target}/payment-methods")
    assert (reply.status, reply.body) == (200, before)


def test_a_customer_without_any_and_no_customer(
    merchant: Api, rival: Api, company: Company
) -> None:
    target = f"/customers/{make(merchant)['id']}/payment-methods?limit=x&after=x"
    assert merchant.send("GET", target).body == {"data": []}
    target = f"/customers/{company['id']}/payment-methods"
    assert refusal(rival.send("GET", target)) == (404, "not_found", {})
    assert refusal(merchant.send("GET", "/customers/cus_x/payment-methods"))[0] == 404
