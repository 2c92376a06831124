"""POST …/customers/{id}/payment-instruments.

Source: docs/api/payments-ai.md, sections 3 and 6.
"""

import re
from collections.abc import Callable

import pytest

from functions.payments_ai.create_payment_instrument.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import TIME, ULID, Api, Reply
from tests.functions.payments_ai.conftest import (
    DELETED,
    NOT_FOUND,
    UNKNOWN,
    Shop,
    details,
    values_of,
)


def test_the_event_file_returns_201_with_the_saved_card(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "payments_ai/create_payment_instrument")
    assert reply.status == 201
    assert re.fullmatch(f"pm_{ULID}", reply.body["id"])
    assert TIME.fullmatch(reply.body["createdTime"])
    assert values_of(reply.body, "customerId", "type", "status", "billingAddress", "isDefault") == [
        "cus_01kjpx8se0eassyq0akmxqwk11",
        "payment-card",
        "active",
        None,
        False,
    ]
    card = reply.body["creditCard"]
    assert values_of(card, "creditCardLastFourDigits", "brand") == ["4242", "visa"]
    assert list(card)[2:] == ["expireYear", "expireMonth"]


def test_p25_the_first_instrument_becomes_the_default_and_later_ones_do_not(shop: Shop) -> None:
    customer = shop.customer(firstName="Nadia")
    first, second = shop.instrument(customer), shop.instrument(customer, "pm_card_mastercard")
    assert (first["isDefault"], second["isDefault"]) == (True, False)
    default = shop.ask("GET", f"/customers/{customer['id']}").body["defaultPaymentInstrument"]
    assert default == {"method": "payment-card", "paymentInstrumentId": first["id"]}


def test_an_instrument_is_the_same_method_in_the_native_api_and_at_the_provider(
    shop: Shop, signed_in: Callable[..., Api], stripe_simulator: StripeSimulator
) -> None:
    customer = shop.customer(email="nadia@shop.test", metadata={"a": {"nested": [1]}})
    made = shop.instrument(customer)
    member = signed_in("user_1", org_1="admin")
    native = member.get(f"/payment-methods/{made['id']}")
    assert (native.status, native.body["last4"]) == (200, "4242")
    operations = [each.operation for each in stripe_simulator.requests]
    assert operations[0] == "create_customer"


def test_one_idempotency_key_saves_one_instrument_in_an_organization(
    shop: Shop, other_shop: Shop
) -> None:
    customer = shop.customer()
    target, visa = f"/customers/{customer['id']}/payment-instruments", {"token": "pm_card_visa"}
    replies = [shop.ask("POST", target, visa, idempotency_key="k") for _ in range(2)]
    assert [each.status for each in replies] == [201, 201]
    assert replies[0].text == replies[1].text
    reply = shop.ask("POST", target, {"token": "pm_card_mastercard"}, idempotency_key="k")
    assert details(reply, 409) == "Idempotency-Key: was used with another request"
    assert len(shop.ask("GET", target).body) == 1
    theirs = f"/customers/{other_shop.customer()['id']}/payment-instruments"
    assert other_shop.ask("POST", theirs, visa, idempotency_key="k").status == 201


def test_p29_the_same_idempotency_key_on_another_path_is_another_request(shop: Shop) -> None:
    made = [shop.ask("POST", "/customers", {}, idempotency_key="k").body]
    made.append(shop.customer())
    for customer in made:
        target = f"/customers/{customer['id']}/payment-instruments"
        body = {"token": "pm_card_visa"}
        assert shop.ask("POST", target, body, idempotency_key="k").status == 201


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({}, "token: is required"),
        ({"token": None}, "token: is required"),
        ({"token": ""}, "token: is required"),
        ({"token": 7}, "token: must be a string"),
        ({"token": "pm_nobody"}, "token: is invalid or already used"),
        ({"token": "4242424242424242"}, "token: must not hold a card number"),
        ({"card": {"pan": "4242 4242 4242 4242"}}, "card.pan: must not hold a card number"),
        ({"token": "x" * 300}, "token: is invalid or already used"),
        ({"token": " "}, "token: is invalid or already used"),
        (b"{", "body: must be valid JSON"),
    ],
)
def test_an_invalid_token_returns_400_with_its_path(shop: Shop, body: object, fault: str) -> None:
    target = f"/customers/{shop.customer()['id']}/payment-instruments"
    assert details(shop.ask("POST", target, body)) == fault
    assert shop.ask("GET", target).body == []


def test_an_unknown_customer_returns_404_and_a_deleted_one_409(
    shop: Shop, other_shop: Shop
) -> None:
    for each in (UNKNOWN, other_shop.customer()["id"], "cus_x"):
        for body in ({"token": "pm_card_visa"}, {}):
            reply = shop.ask("POST", f"/customers/{each}/payment-instruments", body)
            assert (reply.status, reply.body) == (404, NOT_FOUND)
        target = f"/customers/{each}/payment-instruments"  # the 404 of the id comes first
        reply = shop.ask("POST", target, b"{", idempotency_key="k" * 101)
        assert (reply.status, reply.body) == (404, NOT_FOUND)
    gone = shop.customer()["id"]
    shop.ask("DELETE", f"/customers/{gone}")
    reply = shop.ask("POST", f"/customers/{gone}/payment-instruments", {"token": "pm_card_visa"})
    assert details(reply, 409) == DELETED
