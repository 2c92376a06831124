"""Every row of the table of test cards. Source: docs/providers.md, section G."""

import pytest

RETURN_URL = "https://shop.test/back?order=1"
DECLINED = [
    ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline", "0002"),
    ("pm_card_chargeDeclined", "card_declined", "generic_decline", "0002"),
    ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds", "9995"),
    ("pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card", "9987"),
    ("pm_card_visa_chargeDeclinedStolenCard", "card_declined", "stolen_card", "9979"),
    ("pm_card_chargeDeclinedExpiredCard", "expired_card", None, "0069"),
    ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", None, "0127"),
    ("pm_card_chargeDeclinedProcessingError", "processing_error", None, "0119"),
    ("pm_card_chargeCustomerFail", "card_declined", "generic_decline", "0341"),
]
SUCCEEDING = [
    ("pm_card_visa", "visa", "4242"),
    ("pm_card_mastercard", "mastercard", "4444"),
    ("pm_card_amex", "amex", "0005"),
    ("pm_card_createDispute", "visa", "0259"),
    ("pm_card_createDisputeInquiry", "visa", "1976"),
    ("pm_card_pendingRefund", "visa", "7726"),
    ("pm_card_refundFail", "visa", "5126"),
]


def last_error(http, intent):
    return http.get(f"/v1/payment_intents/{intent}").json()["last_payment_error"]


@pytest.mark.parametrize(("alias", "brand", "last4"), SUCCEEDING)
def test_confirm_with_succeeding_card_makes_one_charge(http, simulator, alias, brand, last4):
    answer = http.confirm(http.intent()["id"], alias, **{"expand[0]": "latest_charge"}).json()
    charge = answer["latest_charge"]
    card = charge["payment_method_details"]["card"]
    assert (answer["status"], answer["amount_received"]) == ("succeeded", 2000)
    assert (card["brand"], card["last4"]) == (brand, last4)
    assert (charge["captured"], charge["amount_captured"], charge["paid"]) == (True, 2000, True)
    assert [each["id"] for each in simulator.charges()] == [charge["id"]]


@pytest.mark.parametrize(("alias", "code", "decline_code", "last4"), DECLINED)
def test_confirm_with_declined_card_returns_402_with_the_intent(
    http, simulator, alias, code, decline_code, last4
):
    intent = http.intent()["id"]
    answer = http.confirm(intent, alias)
    error = answer.json()["error"]
    assert answer.status_code == 402
    assert (error["type"], error["code"]) == ("card_error", code)
    assert error.get("decline_code") == decline_code
    assert error["payment_intent"]["status"] == "requires_payment_method"
    assert error["payment_intent"]["payment_method"] is None
    assert error["payment_intent"]["latest_charge"] == error["charge"]
    kept = error["payment_intent"]["last_payment_error"]
    assert (kept["code"], kept["payment_method"]["card"]["last4"]) == (code, last4)
    assert simulator.charges() == []
    assert [each["failure_code"] for each in simulator.declines()] == [code]


@pytest.mark.parametrize("alias", [row[0] for row in DECLINED if "Customer" not in row[0]])
def test_attach_declined_card_returns_402(http, alias):
    customer = http.customer()
    answer = http.post(f"/v1/payment_methods/{alias}/attach", {"customer": customer})
    assert (answer.status_code, answer.json()["error"]["type"]) == (402, "card_error")


def test_charge_customer_fail_can_be_attached_and_fails_every_charge(http):
    customer = http.customer()
    saved = http.saved(customer, "pm_card_chargeCustomerFail")
    for _ in range(2):
        intent = http.intent(customer=customer)["id"]
        assert http.confirm(intent, saved).status_code == 402


@pytest.mark.parametrize(
    "alias", ["pm_card_authenticationRequired", "pm_card_threeDSecure2Required"]
)
def test_authentication_success_charges_once(http, simulator, alias):
    intent = http.intent()["id"]
    asked = http.confirm(intent, alias).json()
    assert (asked["status"], asked["latest_charge"]) == ("requires_action", None)
    assert simulator.charges() == []
    simulator.authenticate(intent, success=True)
    done = http.get(f"/v1/payment_intents/{intent}", **{"expand[0]": "latest_charge"}).json()
    assert (done["status"], done["next_action"]) == ("succeeded", None)
    card = done["latest_charge"]["payment_method_details"]["card"]
    assert card["three_d_secure"]["result"] == "authenticated"
    assert len(simulator.charges()) == 1


@pytest.mark.parametrize(
    "alias",
    [
        "pm_card_authenticationRequired",
        "pm_card_threeDSecure2Required",
        "pm_card_authenticationRequiredOnSetup",
    ],
)
def test_confirm_off_session_with_authentication_card_returns_402(http, simulator, alias):
    answer = http.confirm(http.intent()["id"], alias, off_session="true")
    assert answer.status_code == 402
    assert answer.json()["error"]["code"] == "authentication_required"
    assert simulator.charges() == []


def test_authentication_success_without_funds_fails_the_payment(http, simulator):
    intent = http.intent()["id"]
    alias = "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds"
    assert http.confirm(intent, alias).json()["status"] == "requires_action"
    simulator.authenticate(intent, success=True)
    assert last_error(http, intent)["decline_code"] == "insufficient_funds"
    assert simulator.charges() == []


def test_card_set_up_before_needs_no_authentication(http, simulator):
    customer = http.customer()
    first = http.intent(customer=customer, setup_future_usage="off_session")["id"]
    asked = http.confirm(first, "pm_card_authenticationRequiredOnSetup").json()
    assert asked["status"] == "requires_action"
    simulator.authenticate(first, success=True)
    saved = http.get(f"/v1/customers/{customer}/payment_methods").json()["data"][0]["id"]
    second = http.intent(customer=customer)["id"]
    assert http.confirm(second, saved, off_session="true").json()["status"] == "succeeded"


def test_each_use_of_an_alias_returns_a_fresh_method(http):
    minted = [http.intent(payment_method="pm_card_visa")["payment_method"] for _ in range(2)]
    minted.append(http.confirm(http.intent()["id"], "pm_card_visa").json()["payment_method"])
    assert len(set(minted)) == 3
    assert all(each.startswith("pm_") and "card" not in each for each in minted)


def test_same_number_has_same_fingerprint(http):
    path = "/v1/payment_methods"
    prints = [
        http.post(path, {"type": "card", "card[token]": token}).json()["card"]["fingerprint"]
        for token in ("tok_visa", "tok_visa", "tok_amex")
    ]
    assert prints[0] == prints[1] != prints[2]


def test_card_number_in_the_api_returns_400(http):
    form = {"type": "card", "card[number]": "4242424242424242"}
    form |= {"card[exp_month]": "1", "card[exp_year]": "2030"}
    assert http.post("/v1/payment_methods", form).status_code == 400
    assert http.confirm(http.intent()["id"], "4242424242424242").status_code == 400


class TestThreeDSecurePage:
    @pytest.fixture
    def waiting(self, http):
        form = {"amount": "2000", "currency": "usd"}
        intent = http.post("/v1/payment_intents", form).json()["id"]
        asked = http.confirm(intent, "pm_card_threeDSecure2Required", return_url=RETURN_URL).json()
        assert asked["next_action"]["redirect_to_url"]["return_url"] == RETURN_URL
        return asked

    def visit(self, http, waiting, outcome=None):
        url = waiting["next_action"]["redirect_to_url"]["url"]
        assert url == f"{http.url}/_sim/3ds/{waiting['id']}"
        path = url.removeprefix(http.url) + (f"?outcome={outcome}" if outcome else "")
        return http.visit(path)

    def test_page_without_outcome_offers_both_and_changes_nothing(self, http, waiting):
        page = self.visit(http, waiting)
        assert page.status_code == 200
        assert "?outcome=success" in page.text
        assert "?outcome=fail" in page.text
        assert (
            http.get(f"/v1/payment_intents/{waiting['id']}").json()["status"] == "requires_action"
        )

    @pytest.mark.parametrize(
        ("outcome", "word", "status"),
        [("success", "succeeded", "succeeded"), ("fail", "failed", "requires_payment_method")],
    )
    def test_page_with_outcome_redirects_to_return_url(self, http, waiting, outcome, word, status):
        back = self.visit(http, waiting, outcome)
        assert back.status_code == 303
        assert back.headers["Location"] == (
            f"{RETURN_URL}&payment_intent={waiting['id']}"
            f"&payment_intent_client_secret={waiting['client_secret']}&redirect_status={word}"
        )
        assert http.get(f"/v1/payment_intents/{waiting['id']}").json()["status"] == status

    def test_failed_authentication_leaves_an_error_and_no_charge(self, http, simulator, waiting):
        self.visit(http, waiting, "fail")
        kept = last_error(http, waiting["id"])
        assert kept["code"] == "payment_intent_authentication_failure"
        assert simulator.charges() + simulator.declines() == []

    def test_second_visit_redirects_and_charges_nothing(self, http, simulator, waiting):
        locations = [self.visit(http, waiting, "success").headers["Location"] for _ in range(2)]
        assert locations[0] == locations[1]
        assert len(simulator.charges()) == 1

    def test_page_of_unknown_intent_returns_404(self, http):
        assert http.visit("/_sim/3ds/pi_nothing").status_code == 404
