"""Disputes and actions at the dashboard."""

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
    def test_dispute_card_opens_a_dispute_after_60_seconds(self, http, simulator):
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

    def test_inquiry_card_opens_a_warning_and_stays_refundable(self, http, simulator):
        intent = paid(http, "pm_card_createDisputeInquiry")
        simulator.advance(60)
        [dispute] = disputes_of(http, intent)
        assert dispute["status"] == "warning_needs_response"
        assert dispute["payment_method_details"]["card"]["case_type"] == "inquiry"
        assert dispute["is_charge_refundable"] is True
        assert http.post(REFUNDS, {"payment_intent": intent}).status_code == 200

    def test_authorization_is_disputed_after_capture(self, http, simulator):
        intent = paid(http, "pm_card_createDispute", capture_method="manual")
        simulator.advance(120)
        assert disputes_of(http, intent) == []
        http.post(f"{INTENTS}/{intent}/capture", {"amount_to_capture": "500"})
        simulator.advance(60)
        assert [each["amount"] for each in disputes_of(http, intent)] == [500]

    def test_dispute_card_disputed_before_opens_no_second_dispute(self, http, simulator):
        intent = paid(http, "pm_card_createDispute")
        simulator.dashboard("dispute", intent)
        simulator.advance(60)
        assert len(disputes_of(http, intent)) == 1


def test_refund_of_disputed_charge_returns_400(http, simulator):
    intent = paid(http)
    simulator.dashboard("dispute", intent)
    given = error(http.post(REFUNDS, {"payment_intent": intent}))
    assert given["code"] == "charge_disputed"
    simulator.dashboard("close_dispute", intent, outcome="lost")
    given = error(http.post(REFUNDS, {"payment_intent": intent}))
    assert given["code"] == "charge_disputed"


def test_won_dispute_keeps_charge_disputed_and_refundable(http, simulator):
    intent = paid(http)
    simulator.dashboard("dispute", intent, amount=700)
    simulator.dashboard("close_dispute", intent, outcome="won")
    [dispute] = disputes_of(http, intent)
    assert (dispute["status"], dispute["amount"]) == ("won", 700)
    assert charge_of(http, intent)["disputed"] is True
    assert http.post(REFUNDS, {"payment_intent": intent}).json()["amount"] == 2000


@pytest.mark.parametrize(("outcome", "status"), [("won", "warning_closed"), ("lost", "lost")])
def test_close_dispute_of_inquiry_sets_status_by_outcome(http, simulator, outcome, status):
    intent = paid(http)
    simulator.dashboard("inquire", intent)
    simulator.dashboard("close_dispute", intent, outcome=outcome)
    assert [each["status"] for each in disputes_of(http, intent)] == [status]


def test_list_disputes_filters_by_payment_and_charge(http, simulator):
    intents = [paid(http) for _ in range(3)]
    for intent in intents:
        simulator.dashboard("dispute", intent)
    listed = http.get(DISPUTES).json()["data"]
    assert [each["payment_intent"] for each in listed] == list(reversed(intents))
    by_charge = http.get(DISPUTES, charge=listed[0]["charge"]).json()["data"]
    assert by_charge == [listed[0]]
    assert error(http.get(DISPUTES, payment_intent="pi_no"))["code"] == "resource_missing"
    assert error(http.get(f"{DISPUTES}/du_no"), 404)["code"] == "resource_missing"


def test_list_disputes_expands_the_charge(http, simulator):
    intent = paid(http)
    simulator.dashboard("dispute", intent)
    [dispute] = http.get(DISPUTES, **{"expand[]": "data.charge"}).json()["data"]
    assert dispute["charge"] == charge_of(http, intent)
    assert dispute["charge"]["disputed"] is True
    assert http.get(DISPUTES, **{"expand[]": "charge"}).status_code == 400


def test_closed_inquiry_cannot_be_closed_again(http, simulator):
    intent = paid(http)
    simulator.dashboard("inquire", intent)
    simulator.dashboard("close_dispute", intent, outcome="won")
    with pytest.raises(StripeError):
        simulator.dashboard("close_dispute", intent, outcome="won")
    assert http.post(REFUNDS, {"payment_intent": intent}).status_code == 200


class TestDashboard:
    def act(self, http, action, intent, **more):
        return http.control(
            "POST", "dashboard", {"action": action, "payment_intent": intent} | more
        )

    def test_dashboard_refund_has_no_metadata(self, http, simulator):
        intent = paid(http)
        assert self.act(http, "refund", intent, amount=500).json()["id"] == intent
        [refund] = simulator.refunds()
        assert (refund["amount"], refund["metadata"]) == (500, {})
        assert refund["reason"] == "requested_by_customer"

    def test_dashboard_captures_a_part_and_cancels(self, http):
        captured, canceled = (paid(http, capture_method="manual") for _ in range(2))
        assert self.act(http, "capture", captured, amount=700).json()["amount_received"] == 700
        assert self.act(http, "cancel", canceled).json()["status"] == "canceled"

    def test_dashboard_opens_and_closes_a_dispute(self, http):
        intent = paid(http)
        assert self.act(http, "dispute", intent).status_code == 200
        assert self.act(http, "close_dispute", intent, outcome="lost").status_code == 200
        assert [each["status"] for each in disputes_of(http, intent)] == ["lost"]

    def test_dashboard_action_in_wrong_state_returns_400(self, http):
        unpaid, authorized, paid_intent = (
            http.intent()["id"],
            paid(http, capture_method="manual"),
            paid(http),
        )
        for action in ("refund", "capture", "dispute", "close_dispute"):
            assert self.act(http, action, unpaid, outcome="won").status_code == 400
        assert self.act(http, "refund", authorized).status_code == 400
        assert self.act(http, "dispute", authorized).status_code == 400
        assert self.act(http, "cancel", paid_intent).status_code == 400
        assert self.act(http, "close_dispute", paid_intent, outcome="won").status_code == 400
        assert self.act(http, "dispute", paid_intent, amount=2001).status_code == 400
        assert self.act(http, "dispute", paid_intent).status_code == 200
        assert self.act(http, "dispute", paid_intent).status_code == 400
        assert self.act(http, "refund", "pi_nothing").status_code == 404

    def test_bad_dashboard_request_returns_400(self, http, simulator):
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
