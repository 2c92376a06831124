"""The clients of the simulator: the official SDK and the customer's browser."""

from typing import Any

import pytest
import stripe

INTENTS = "/v1/payment_intents"


def status_of(http, intent):
    return http.get(f"{INTENTS}/{intent}").json()["status"]


class TestSdk:
    def test_sdk_creates_confirms_and_gets_a_payment(self, client, simulator):
        customer = client.v1.customers.create(
            params={"email": "a@b.test", "metadata": {"customer_id": "cust_1"}},
            options={"idempotency_key": "c.1"},
        )
        intent = client.v1.payment_intents.create(
            params={
                "amount": 2000,
                "currency": "usd",
                "customer": customer.id,
                "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
                "expand": ["latest_charge"],
            },
            options={"idempotency_key": "p.1"},
        )
        paid = client.v1.payment_intents.confirm(
            intent.id, params={"payment_method": "pm_card_visa", "expand": ["latest_charge"]}
        )
        assert paid.latest_charge.payment_method_details.card.last4 == "4242"
        assert client.v1.payment_intents.retrieve(intent.id).status == "succeeded"
        assert client.v1.customers.delete(customer.id).deleted is True
        assert simulator.requests[0].headers["idempotency-key"] == "c.1"
        assert simulator.requests[0].form["metadata[customer_id]"] == "cust_1"

    def test_sdk_raises_the_exception_for_each_refusal(self, client, simulator):
        intents = client.v1.payment_intents
        with pytest.raises(stripe.InvalidRequestError) as unknown:
            intents.create(
                params={"amount": 2000, "currency": "usd", "payment_method_types": ["card"]}
            )
        assert unknown.value.code == "payment_method_types_no_longer_supported"
        never = {"enabled": True, "allow_redirects": "never"}
        params = {"amount": 2000, "currency": "usd", "automatic_payment_methods": never}
        intent = intents.create(params=params)
        with pytest.raises(stripe.CardError) as declined:
            intents.confirm(intent.id, params={"payment_method": "pm_card_visa_chargeDeclined"})
        body: Any = declined.value.json_body
        sdk_error = body["error"]
        assert sdk_error["decline_code"] == "generic_decline"
        assert sdk_error["payment_intent"]["last_payment_error"]["code"] == "card_declined"
        with pytest.raises(stripe.AuthenticationError):
            stripe.StripeClient(
                "sk_live_1", base_addresses={"api": simulator.url}
            ).v1.customers.list()
        options = {"idempotency_key": "k"}
        intents.create(params=params, options=options)
        with pytest.raises(stripe.IdempotencyError):
            intents.create(params=params | {"amount": 2001}, options=options)
        simulator.fault("fetch", "429")
        with pytest.raises(stripe.RateLimitError):
            intents.retrieve(intent.id)
        simulator.fault("fetch", "html_502")
        with pytest.raises(stripe.APIError):
            intents.retrieve(intent.id)

    def test_sdk_pages_through_a_list(self, client):
        for _ in range(5):
            client.v1.customers.create()
        assert len(list(client.v1.customers.list(params={"limit": 2}).auto_paging_iter())) == 5


class TestBrowser:
    def test_browser_attach_lets_the_server_confirm(self, http, simulator):
        intent = http.intent()
        simulator.browser_attach(intent["id"], intent["client_secret"], "4242424242424242")
        assert status_of(http, intent["id"]) == "requires_confirmation"
        assert http.confirm(intent["id"]).json()["status"] == "succeeded"

    def test_browser_confirm_pays(self, http, simulator):
        intent = http.intent()
        form = {
            "payment_intent": intent["id"],
            "client_secret": intent["client_secret"],
            "payment_method": "pm_card_visa",
        }
        assert http.control("POST", "browser/confirm", form).json()["status"] == "succeeded"
        assert len(simulator.charges()) == 1

    def test_browser_confirm_with_other_secret_returns_400(self, http, simulator):
        intent, other = http.intent(), http.intent()
        form = {"payment_intent": intent["id"], "client_secret": other["client_secret"]}
        form["payment_method"] = "pm_card_visa"
        assert http.control("POST", "browser/confirm", form).status_code == 400
        assert simulator.charges() == []

    def test_browser_confirm_with_declined_card_returns_402(self, http):
        intent = http.intent()
        form = {"payment_intent": intent["id"], "client_secret": intent["client_secret"]}
        form["payment_method"] = "4000000000000002"
        assert http.control("POST", "browser/confirm", form).status_code == 402
        assert status_of(http, intent["id"]) == "requires_payment_method"
