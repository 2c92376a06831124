"""Disputes, and what a person does at the dashboard."""

import pytest

from local.stripe.errors import StripeError

INTENTS, REFUNDS, DISPUTES = "/v1/payment_intents", "/v1/refunds", "/v1/disputes"


def error(response, status=400):
    assert response.status_code == status, response.text
    return response.json()["error"]


def paid(http, method="pm_card_visa", **fields):
    intent = http.intent(**fields)["id"]
    assert http.confirm(intent, method).status_code == 200
    return intent


def charge_of(http, intent):
    return http.get(f"{INTENTS}/{intent}", **{"expand[0]": "latest_charge"}).json()["latest_charge"]


def disputes_of(http, intent):
    return http.get(DISPUTES, payment_intent=intent).json()["data"]


class TestCards:
    def test_a_card_that_disputes_does_so_after_the_payment(self, http, simulator):
        intent = paid(http, "pm_card_createDispute")
        assert charge_of(http, intent)["disputed"] is False
        simulator.advance(60)
        [dispute] = disputes_of(http, intent)
        assert (dispute["status"], dispute["amount"]) == ("needs_response", 2000)
        assert dispute["payment_method_details"]["card"]["case_type"] == "chargeback"
        assert dispute["is_charge_refundable"] is False
        assert charge_of(http, intent)["disputed"] is True
        assert http.get(f"{DISPUTES}/{dispute['id']}").json() == dispute
        assert simulator.disputes() == [dispute]

    def test_an_inquiry_is_a_warning_and_leaves_the_money_refundable(self, http, simulator):
        intent = paid(http, "pm_card_createDisputeInquiry")
        simulator.advance(60)
        [dispute] = disputes_of(http, intent)
        assert dispute["status"] == "warning_needs_response"
        assert dispute["payment_method_details"]["card"]["case_type"] == "inquiry"
        assert dispute["is_charge_refundable"] is True
        assert http.post(REFUNDS, {"payment_intent": intent}).status_code == 200

    def test_a_hold_is_disputed_once_it_is_captured(self, http, simulator):
        intent = paid(http, "pm_card_createDispute", capture_method="manual")
        simulator.advance(120)
        assert disputes_of(http, intent) == []
        http.post(f"{INTENTS}/{intent}/capture", {"amount_to_capture": "500"})
        simulator.advance(60)
        assert [each["amount"] for each in disputes_of(http, intent)] == [500]

    def test_what_somebody_disputed_first_is_not_disputed_twice(self, http, simulator):
        intent = paid(http, "pm_card_createDispute")
        simulator.dashboard("dispute", intent)
        simulator.advance(60)
        assert len(disputes_of(http, intent)) == 1


def test_what_was_charged_back_cannot_be_refunded(http, simulator):
    intent = paid(http)
    simulator.dashboard("dispute", intent)
    given = error(http.post(REFUNDS, {"payment_intent": intent}))
    assert given["code"] == "charge_disputed"
    simulator.dashboard("close_dispute", intent, outcome="lost")
    given = error(http.post(REFUNDS, {"payment_intent": intent}))
    assert given["code"] == "charge_disputed"


def test_a_dispute_that_was_won_leaves_its_mark_on_the_charge(http, simulator):
    intent = paid(http)
    simulator.dashboard("dispute", intent, amount=700)
    simulator.dashboard("close_dispute", intent, outcome="won")
    [dispute] = disputes_of(http, intent)
    assert (dispute["status"], dispute["amount"]) == ("won", 700)
    assert charge_of(http, intent)["disputed"] is True
    assert http.post(REFUNDS, {"payment_intent": intent}).json()["amount"] == 2000


@pytest.mark.parametrize(("outcome", "status"), [("won", "warning_closed"), ("lost", "lost")])
def test_an_inquiry_ends_as_its_outcome_says(http, simulator, outcome, status):
    intent = paid(http)
    simulator.dashboard("inquire", intent)
    simulator.dashboard("close_dispute", intent, outcome=outcome)
    assert [each["status"] for each in disputes_of(http, intent)] == [status]


def test_disputes_are_listed_by_payment_and_charge(http, simulator):
    intents = [paid(http) for _ in range(3)]
    for intent in intents:
        simulator.dashboard("dispute", intent)
    shown = http.get(DISPUTES).json()["data"]
    assert [each["payment_intent"] for each in shown] == list(reversed(intents))
    by_charge = http.get(DISPUTES, charge=shown[0]["charge"]).json()["data"]
    assert by_charge == [shown[0]]
    assert error(http.get(DISPUTES, payment_intent="pi_no"))["code"] == "resource_missing"
    assert error(http.get(f"{DISPUTES}/du_no"), 404)["code"] == "resource_missing"


class TestDashboard:
    def act(self, http, action, intent, **more):
        return http.control(
            "POST", "dashboard", {"action": action, "payment_intent": intent} | more
        )

    def test_it_refunds_without_any_of_our_metadata(self, http, simulator):
        intent = paid(http)
        assert self.act(http, "refund", intent, amount=500).json()["id"] == intent
        [refund] = simulator.refunds()
        assert (refund["amount"], refund["metadata"]) == (500, {})
        assert refund["reason"] == "requested_by_customer"

    def test_it_captures_in_part_and_cancels(self, http):
        captured, canceled = (paid(http, capture_method="manual") for _ in range(2))
        assert self.act(http, "capture", captured, amount=700).json()["amount_received"] == 700
        assert self.act(http, "cancel", canceled).json()["status"] == "canceled"

    def test_it_disputes_and_closes(self, http):
        intent = paid(http)
        assert self.act(http, "dispute", intent).status_code == 200
        assert self.act(http, "close_dispute", intent, outcome="lost").status_code == 200
        assert [each["status"] for each in disputes_of(http, intent)] == ["lost"]

    def test_it_can_do_no_more_than_stripe_lets_it(self, http):
        unpaid, held, done = (
            http.intent()["id"],
            paid(http, capture_method="manual"),
            paid(http),
        )
        for action in ("refund", "capture", "dispute", "close_dispute"):
            assert self.act(http, action, unpaid, outcome="won").status_code == 400
        assert self.act(http, "refund", held).status_code == 400
        assert self.act(http, "dispute", held).status_code == 400
        assert self.act(http, "cancel", done).status_code == 400
        assert self.act(http, "close_dispute", done, outcome="won").status_code == 400
        assert self.act(http, "dispute", done, amount=2001).status_code == 400
        assert self.act(http, "dispute", done).status_code == 200
        assert self.act(http, "dispute", done).status_code == 400
        assert self.act(http, "refund", "pi_nothing").status_code == 404

    def test_a_request_that_makes_no_sense_is_a_400(self, http, simulator):
        intent = paid(http)
        for given in (
            {},
            {"action": "refund"},
            {"action": "erase", "payment_intent": intent},
            {"action": "refund", "payment_intent": intent, "invented": 1},
            {"action": "close_dispute", "payment_intent": intent},
        ):
            assert http.control("POST", "dashboard", given).status_code == 400
        with pytest.raises(StripeError):
            simulator.dashboard("close_dispute", intent, outcome="won")
