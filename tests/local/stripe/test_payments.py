"""The state machine of an intent, expansion and lists."""

import pytest

INTENTS = "/v1/payment_intents"
RETURN_URL = "https://shop.test/back"


def error(response, status=400):
    assert response.status_code == status, response.text
    return response.json()["error"]


def status_of(http, intent):
    return http.get(f"{INTENTS}/{intent}").json()["status"]


def test_create_intent_without_method_requires_a_method(http):
    intent = http.intent(**{"metadata[payment_id]": "pay_1"}, description="Tea")
    assert intent["status"] == "requires_payment_method"
    assert intent["client_secret"].startswith(intent["id"] + "_secret_")
    assert intent["automatic_payment_methods"] == {"allow_redirects": "never", "enabled": True}
    assert (intent["amount"], intent["currency"]) == (2000, "usd")
    assert (intent["metadata"], intent["description"]) == ({"payment_id": "pay_1"}, "Tea")
    assert intent["capture_method"] == "automatic_async"


def test_create_intent_with_method_requires_confirmation(http, simulator):
    intent = http.intent(payment_method="pm_card_visa")
    assert intent["status"] == "requires_confirmation"
    assert simulator.charges() == []
    assert http.confirm(intent["id"]).json()["status"] == "succeeded"


def test_confirm_without_method_returns_400(http):
    intent = http.intent()["id"]
    given = error(http.confirm(intent))
    assert given["code"] == "payment_intent_unexpected_state"
    assert given["payment_intent"]["id"] == intent
    assert "missing a payment method" in given["message"]


def test_confirm_with_redirects_needs_a_return_url(http, simulator):
    intent = http.post(INTENTS, {"amount": "2000", "currency": "usd"}).json()
    assert intent["automatic_payment_methods"]["allow_redirects"] == "always"
    given = error(http.confirm(intent["id"], "pm_card_visa"))
    assert (given["code"], given["param"]) == ("parameter_missing", "return_url")
    assert simulator.charges() == []
    answer = http.confirm(intent["id"], "pm_card_visa", return_url=RETURN_URL)
    assert answer.json()["status"] == "succeeded"


def test_confirm_without_redirects_refuses_a_return_url(http):
    given = error(http.confirm(http.intent()["id"], "pm_card_visa", return_url=RETURN_URL))
    assert given["param"] == "return_url"


def test_confirm_with_bad_return_url_returns_400(http):
    intent = http.post(INTENTS, {"amount": "2000", "currency": "usd"}).json()["id"]
    assert error(http.confirm(intent, "pm_card_visa", return_url="shop"))["code"] == "url_invalid"


def test_authentication_without_redirects_is_use_stripe_sdk(http):
    action = http.confirm(http.intent()["id"], "pm_card_authenticationRequired").json()[
        "next_action"
    ]
    assert action["type"] == "use_stripe_sdk"


def test_confirm_of_paid_intent_returns_400(http, simulator):
    intent = http.intent()["id"]
    http.confirm(intent, "pm_card_visa")
    given = error(http.confirm(intent, "pm_card_visa"))
    assert given["code"] == "payment_intent_unexpected_state"
    assert given["payment_intent"]["status"] == "succeeded"
    assert len(simulator.charges()) == 1


def test_confirm_with_other_method_after_decline_succeeds(http, simulator):
    intent = http.intent()["id"]
    http.confirm(intent, "pm_card_visa_chargeDeclined")
    paid = http.confirm(intent, "pm_card_visa").json()
    assert (paid["status"], paid["last_payment_error"]) == ("succeeded", None)
    assert (len(simulator.charges()), len(simulator.declines())) == (1, 1)


def test_confirm_with_other_card_during_authentication_succeeds(http, simulator):
    intent = http.intent()["id"]
    http.confirm(intent, "pm_card_authenticationRequired")
    assert http.confirm(intent, "pm_card_visa").json()["status"] == "succeeded"
    simulator.authenticate(intent, success=True)
    assert len(simulator.charges()) == 1


def test_create_with_confirm_pays_or_declines(http, simulator):
    form = {"amount": "2000", "currency": "usd", "confirm": "true", "return_url": RETURN_URL}
    paid = http.post(INTENTS, form | {"payment_method": "pm_card_visa"}).json()
    assert paid["status"] == "succeeded"
    declined = http.post(INTENTS, form | {"payment_method": "pm_card_visa_chargeDeclined"})
    kept = error(declined, 402)["payment_intent"]["id"]
    assert status_of(http, kept) == "requires_payment_method"
    assert error(http.post(INTENTS, form))["code"] == "payment_intent_unexpected_state"
    assert len(simulator.intents()) == 2


class TestUpdate:
    def test_update_keeps_what_is_not_sent_and_joins_metadata(self, http):
        intent = http.intent(description="Tea", **{"metadata[a]": "1", "metadata[b]": "2"})["id"]
        form = {"amount": "3000", "metadata[b]": "", "metadata[c]": "3"}
        updated = http.post(f"{INTENTS}/{intent}", form).json()
        assert (updated["amount"], updated["description"]) == (3000, "Tea")
        assert updated["metadata"] == {"a": "1", "c": "3"}
        cleared = http.post(f"{INTENTS}/{intent}", {"metadata": "", "description": ""}).json()
        assert (cleared["metadata"], cleared["description"]) == ({}, None)

    def test_update_clears_the_last_error(self, http):
        intent = http.intent()["id"]
        http.confirm(intent, "pm_card_visa_chargeDeclined")
        updated = http.post(f"{INTENTS}/{intent}", {"amount": "3000"}).json()
        assert updated["last_payment_error"] is None

    @pytest.mark.parametrize("form", [{"amount": "3000"}, {"payment_method": "pm_card_visa"}])
    def test_update_of_amount_or_method_requires_confirmation_again(self, http, form):
        intent = http.intent()["id"]
        http.confirm(intent, "pm_card_authenticationRequired")
        updated = http.post(f"{INTENTS}/{intent}", form).json()
        assert (updated["status"], updated["next_action"]) == ("requires_confirmation", None)

    def test_refused_update_changes_nothing(self, http):
        before = http.intent()
        strangers = {"customer": http.customer(), "payment_method": "pm_nothing"}
        for form in ({"currency": "isk", "amount": "5050"}, strangers):
            error(http.post(f"{INTENTS}/{before['id']}", {"description": "x"} | form))
        assert http.get(f"{INTENTS}/{before['id']}").json() == before

    def test_update_of_amount_after_payment_returns_400(self, http):
        intent = http.intent()["id"]
        http.confirm(intent, "pm_card_visa")
        given = error(http.post(f"{INTENTS}/{intent}", {"amount": "3000"}))
        assert given["code"] == "payment_intent_unexpected_state"
        updated = http.post(f"{INTENTS}/{intent}", {"description": "Tea"}).json()
        assert (updated["amount"], updated["description"]) == (2000, "Tea")

    def test_update_of_customer_returns_400(self, http):
        intent = http.intent(customer=http.customer())["id"]
        given = error(http.post(f"{INTENTS}/{intent}", {"customer": http.customer()}))
        assert given["param"] == "customer"


class TestCancelAndCapture:
    def test_cancel_of_canceled_intent_returns_400(self, http):
        intent = http.intent()["id"]
        form = {"cancellation_reason": "requested_by_customer"}
        canceled = http.post(f"{INTENTS}/{intent}/cancel", form).json()
        assert (canceled["status"], canceled["cancellation_reason"]) == (
            "canceled",
            "requested_by_customer",
        )
        given = error(http.post(f"{INTENTS}/{intent}/cancel", form))
        assert given["code"] == "payment_intent_unexpected_state"
        assert given["payment_intent"]["status"] == "canceled"
        assert error(http.confirm(intent, "pm_card_visa"))["payment_intent"]["status"] == "canceled"

    def test_cancel_of_paid_intent_returns_400(self, http):
        intent = http.intent()["id"]
        http.confirm(intent, "pm_card_visa")
        assert error(http.post(f"{INTENTS}/{intent}/cancel"))["payment_intent"]["amount"] == 2000

    def test_manual_capture_authorizes_and_captures_once(self, http, simulator):
        intent = http.intent(capture_method="manual")["id"]
        authorized = http.confirm(intent, "pm_card_visa", **{"expand[0]": "latest_charge"}).json()
        assert (authorized["status"], authorized["amount_capturable"]) == ("requires_capture", 2000)
        assert (authorized["amount_received"], authorized["latest_charge"]["captured"]) == (
            0,
            False,
        )
        capture = f"{INTENTS}/{intent}/capture"
        given = error(http.post(capture, {"amount_to_capture": "2001"}))
        assert given["code"] == "amount_too_large"
        taken = http.post(capture, {"amount_to_capture": "500"}).json()
        assert (taken["status"], taken["amount_received"]) == ("succeeded", 500)
        assert taken["amount_capturable"] == 0
        assert simulator.charges()[0]["amount_captured"] == 500
        assert error(http.post(capture))["code"] == "payment_intent_unexpected_state"

    def test_cancel_of_authorized_intent_releases_the_money(self, http, simulator):
        intent = http.intent(capture_method="manual")["id"]
        http.confirm(intent, "pm_card_visa")
        http.post(f"{INTENTS}/{intent}/cancel")
        assert status_of(http, intent) == "canceled"
        assert simulator.charges()[0]["refunded"] is True

    def test_authorization_expires_after_seven_days(self, http, simulator):
        intent = http.intent(capture_method="manual")["id"]
        http.confirm(intent, "pm_card_visa")
        simulator.advance(6 * 86400)
        assert status_of(http, intent) == "requires_capture"
        simulator.advance(2 * 86400)
        assert status_of(http, intent) == "canceled"


class TestExpand:
    def test_charge_is_an_id_unless_expanded(self, http):
        intent = http.intent()["id"]
        plain = http.confirm(intent, "pm_card_visa").json()["latest_charge"]
        assert plain.startswith("ch_")
        asked = http.get(f"{INTENTS}/{intent}", **{"expand[0]": "latest_charge"}).json()
        assert asked["latest_charge"]["id"] == plain
        assert "refunds" not in asked["latest_charge"]

    def test_expand_follows_a_path(self, http):
        customer = http.customer(email="a@b.test")
        intent = http.intent(customer=customer)["id"]
        http.confirm(intent, "pm_card_visa")
        query = {"expand[0]": "latest_charge.refunds", "expand[1]": "latest_charge.customer"}
        charge = http.get(f"{INTENTS}/{intent}", **query).json()["latest_charge"]
        assert charge["refunds"]["url"] == f"/v1/charges/{charge['id']}/refunds"
        assert charge["customer"]["email"] == "a@b.test"
        listed = http.get(INTENTS, **{"expand[]": "data.customer"}).json()["data"]
        assert listed[0]["customer"]["id"] == customer
        plain = http.get(f"{INTENTS}/{intent}").json()
        assert plain["customer"] == customer


class TestLists:
    def test_list_pages_follow_the_cursor_newest_first(self, http):
        made = [http.intent()["id"] for _ in range(5)]
        newest = list(reversed(made))
        first = http.get(INTENTS, limit="2").json()
        second = http.get(INTENTS, limit="2", starting_after=newest[1]).json()
        last = http.get(INTENTS, limit="2", starting_after=newest[3]).json()
        pages = [[each["id"] for each in page["data"]] for page in (first, second, last)]
        assert pages == [newest[:2], newest[2:4], newest[4:]]
        assert [page["has_more"] for page in (first, second, last)] == [True, True, False]
        query = {"limit": "2", "ending_before": newest[3]}
        before = http.get(INTENTS, **query).json()
        assert [each["id"] for each in before["data"]] == newest[1:3]
        assert before["has_more"] is True

    def test_list_filters_by_customer_and_time(self, http, simulator):
        customer = http.customer(email="a@b.test")
        old = http.intent(customer=customer)
        simulator.advance(100)
        new = http.intent(customer=customer)
        http.intent()
        mine = http.get(INTENTS, customer=customer).json()["data"]
        assert [each["id"] for each in mine] == [new["id"], old["id"]]
        query = {"customer": customer, "created[gt]": str(old["created"])}
        assert [each["id"] for each in http.get(INTENTS, **query).json()["data"]] == [new["id"]]
        assert len(http.get("/v1/customers", email="a@b.test").json()["data"]) == 1
        assert http.get("/v1/customers", email="b@b.test").json()["data"] == []
