"""Refunds, partial captures and released authorizations."""

import pytest
import stripe as sdk

INTENTS, REFUNDS = "/v1/payment_intents", "/v1/refunds"
MANUAL = {"capture_method": "manual"}
EXPANDED = {"expand[0]": "latest_charge.refunds"}


def error(response, status=400):
    assert response.status_code == status, response.text
    return response.json()["error"]


def paid(http, method="pm_card_visa", **fields):
    intent = http.intent(**fields)["id"]
    assert http.confirm(intent, method).status_code == 200
    return intent


def refund(http, intent, **fields):
    response = http.post(REFUNDS, {"payment_intent": intent} | fields)
    assert response.status_code == 200, response.text
    return response.json()


def charge_of(http, intent):
    return http.get(f"{INTENTS}/{intent}", **EXPANDED).json()["latest_charge"]


def test_refund_without_amount_refunds_everything(http, simulator):
    intent = paid(http)
    made = refund(http, intent, reason="duplicate", **{"metadata[refund_id]": "ref_1"})
    assert (made["amount"], made["currency"], made["status"]) == (2000, "usd", "succeeded")
    assert (made["payment_intent"], made["reason"]) == (intent, "duplicate")
    assert made["metadata"] == {"refund_id": "ref_1"}
    charge = charge_of(http, intent)
    assert (charge["id"], charge["amount_refunded"]) == (made["charge"], 2000)
    assert charge["refunded"] is True
    assert charge["refunds"]["data"] == [made]
    assert simulator.refunds() == [made]
    given = error(http.post(REFUNDS, {"payment_intent": intent}))
    assert given["code"] == "charge_already_refunded"


def test_partial_refunds_add_up_to_the_captured_amount_at_most(http):
    intent = paid(http)
    parts = [refund(http, intent, amount=each)["id"] for each in ("500", "600")]
    charge = charge_of(http, intent)
    assert (charge["amount_refunded"], charge["refunded"]) == (1100, False)
    given = error(http.post(REFUNDS, {"payment_intent": intent, "amount": "901"}))
    assert (given["code"], given["param"]) == ("amount_too_large", "amount")
    last = refund(http, intent)
    assert last["amount"] == 900
    listed = [each["id"] for each in charge_of(http, intent)["refunds"]["data"]]
    assert listed == [last["id"], *reversed(parts)]


def test_refund_by_charge_id_refunds_its_payment(http):
    intent = paid(http)
    charge = charge_of(http, intent)["id"]
    made = http.post(REFUNDS, {"charge": charge, "amount": "100"}).json()
    assert (made["charge"], made["payment_intent"]) == (charge, intent)
    both = {"charge": charge, "payment_intent": intent, "amount": "100"}
    assert http.post(REFUNDS, both).status_code == 200
    other = {"charge": charge, "payment_intent": paid(http)}
    assert error(http.post(REFUNDS, other))["param"] == "charge"


def test_refund_without_captured_charge_returns_400(http):
    assert error(http.post(REFUNDS))["code"] == "parameter_missing"
    for name, kind in (("payment_intent", "pi_nothing"), ("charge", "ch_nothing")):
        given = error(http.post(REFUNDS, {name: kind}))
        assert (given["code"], given["param"]) == ("resource_missing", name)
        given = error(http.get(REFUNDS, **{name: kind}))
        assert (given["code"], given["param"]) == ("resource_missing", name)
    unpaid = http.intent()["id"]
    assert "successful charge" in error(http.post(REFUNDS, {"payment_intent": unpaid}))["message"]
    http.confirm(unpaid, "pm_card_visa_chargeDeclined")
    assert "successful charge" in error(http.post(REFUNDS, {"payment_intent": unpaid}))["message"]
    authorized = paid(http, **MANUAL)
    assert (
        "successful charge" in error(http.post(REFUNDS, {"payment_intent": authorized}))["message"]
    )
    done = paid(http)
    for amount in ("0", "-1"):
        given = error(http.post(REFUNDS, {"payment_intent": done, "amount": amount}))
        assert given["code"] == "parameter_invalid_integer"
    assert error(http.post(REFUNDS, {"payment_intent": done, "reason": "no"}))["param"] == "reason"
    given = error(http.post(REFUNDS, {"payment_intent": done, "refund_id": "ref_1"}))
    assert given["code"] == "parameter_unknown"
    assert charge_of(http, done)["amount_refunded"] == 0


def test_refund_with_too_many_decimals_returns_400(http):
    intent = paid(http, currency="isk", amount="20000")
    given = error(http.post(REFUNDS, {"payment_intent": intent, "amount": "150"}))
    assert given["code"] == "invalid_charge_amount_no_decimal_compatible"
    assert refund(http, intent, amount="200")["amount"] == 200


def test_refund_repeated_with_same_key_is_made_once(http, simulator):
    form = {"payment_intent": paid(http), "amount": "500"}
    answers = [http.post(REFUNDS, form, Idempotency_Key="k.1") for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert answers[1].headers["Idempotent-Replayed"] == "true"
    assert len(simulator.refunds()) == 1
    assert error(http.post(REFUNDS, form | {"amount": "501"}, Idempotency_Key="k.1"))["type"] == (
        "idempotency_error"
    )
    http.post(REFUNDS, form, Idempotency_Key="k.2")
    assert len(simulator.refunds()) == 2


def test_late_refund_is_pending_until_the_clock_moves(http, simulator):
    intent = paid(http, "pm_card_pendingRefund")
    made = refund(http, intent, amount="500")
    assert (made["status"], made["pending_reason"]) == ("pending", "processing")
    assert charge_of(http, intent)["amount_refunded"] == 500
    simulator.advance(60)
    current = http.get(f"{REFUNDS}/{made['id']}").json()
    assert (current["status"], current.get("pending_reason")) == ("succeeded", None)
    assert charge_of(http, intent)["amount_refunded"] == 500


def test_refund_that_fails_later_can_be_refunded_again(http, simulator):
    intent = paid(http, "pm_card_refundFail")
    made = refund(http, intent)
    assert made["status"] == "succeeded"
    assert charge_of(http, intent)["refunded"] is True
    simulator.advance(60)
    failed = http.get(f"{REFUNDS}/{made['id']}").json()
    assert (failed["status"], failed["failure_reason"]) == ("failed", "expired_or_canceled_card")
    charge = charge_of(http, intent)
    assert (charge["amount_refunded"], charge["refunded"]) == (0, False)
    assert refund(http, intent)["amount"] == 2000


def test_refund_fails_as_late_as_the_simulator_says(http, simulator):
    intents = [paid(http, "pm_card_refundFail") for _ in range(2)]
    early = refund(http, intents[0])["id"]
    simulator.refunds_settle_after(5 * 86400)
    late = refund(http, intents[1])["id"]
    statuses = []
    for seconds in (60, 5 * 86400 - 120, 120):
        simulator.advance(seconds)
        statuses.append([http.get(f"{REFUNDS}/{each}").json()["status"] for each in (early, late)])
    assert statuses == [["failed", "succeeded"], ["failed", "succeeded"], ["failed", "failed"]]


def test_reset_sets_the_delays_back(http, simulator):
    simulator.refunds_settle_after(5 * 86400)
    simulator.reset()
    made = refund(http, paid(http, "pm_card_pendingRefund"))["id"]
    simulator.advance(60)
    assert http.get(f"{REFUNDS}/{made}").json()["status"] == "succeeded"


def test_list_refunds_filters_by_payment_and_charge_newest_first(http):
    intent, other = paid(http), paid(http)
    made = [refund(http, intent, amount="100")["id"] for _ in range(3)]
    strange = refund(http, other)
    newest = list(reversed(made))
    first = http.get(REFUNDS, payment_intent=intent, limit="2").json()
    rest = http.get(REFUNDS, payment_intent=intent, limit="2", starting_after=newest[1]).json()
    assert [each["id"] for each in first["data"] + rest["data"]] == newest
    assert (first["has_more"], rest["has_more"]) == (True, False)
    by_charge = http.get(REFUNDS, charge=strange["charge"]).json()["data"]
    assert [each["id"] for each in by_charge] == [strange["id"]]
    assert len(http.get(REFUNDS).json()["data"]) == 4
    assert error(http.get(f"{REFUNDS}/re_nothing"), 404)["code"] == "resource_missing"


def test_expanded_refunds_of_a_charge_have_ten_per_page(http):
    intent = paid(http)
    for _ in range(11):
        refund(http, intent, amount="1")
    refunds = charge_of(http, intent)["refunds"]
    assert (len(refunds["data"]), refunds["has_more"]) == (10, True)


def test_partial_capture_releases_the_rest_as_a_refund(http):
    """Stripe counts the rest in amount_refunded, although that money never moved."""
    intent = paid(http, **MANUAL)
    assert http.post(f"{INTENTS}/{intent}/capture", {"amount_to_capture": "500"}).ok
    charge = charge_of(http, intent)
    assert (charge["amount_captured"], charge["amount_refunded"]) == (500, 1500)
    assert charge["refunded"] is False
    [released] = charge["refunds"]["data"]
    assert (released["amount"], released["reason"], released["metadata"]) == (1500, None, {})
    assert released["destination_details"]["card"]["type"] == "reversal"
    given = error(http.post(REFUNDS, {"payment_intent": intent, "amount": "501"}))
    assert given["code"] == "amount_too_large"
    assert refund(http, intent)["amount"] == 500


def test_full_capture_releases_nothing(http, simulator):
    intent = paid(http, **MANUAL)
    http.post(f"{INTENTS}/{intent}/capture")
    charge = charge_of(http, intent)
    assert (charge["amount_captured"], charge["amount_refunded"]) == (2000, 0)
    assert simulator.refunds() + simulator.releases() == []


def test_capture_of_bad_amount_returns_400(http):
    intent = paid(http, currency="isk", amount="20000", **MANUAL)
    for amount in ("0", "-100"):
        given = error(http.post(f"{INTENTS}/{intent}/capture", {"amount_to_capture": amount}))
        assert given["code"] == "parameter_invalid_integer"
    given = error(http.post(f"{INTENTS}/{intent}/capture", {"amount_to_capture": "150"}))
    assert given["param"] == "amount_to_capture"
    assert given["code"] == "invalid_charge_amount_no_decimal_compatible"


def test_capture_of_expired_authorization_returns_400(http, simulator):
    intent = paid(http, **MANUAL)
    simulator.advance(7 * 86400)
    given = error(http.post(f"{INTENTS}/{intent}/capture"))
    assert given["code"] == "payment_intent_unexpected_state"
    assert given["payment_intent"]["status"] == "canceled"
    assert given["payment_intent"]["cancellation_reason"] == "expired"
    [released] = charge_of(http, intent)["refunds"]["data"]
    assert (released["amount"], released["reason"]) == (2000, "expired_uncaptured_charge")


def test_capture_of_authorization_that_lapsed_early_returns_400(http, simulator):
    """Source: stripe-python, pull request 330, for the status and the code."""
    intent = paid(http, **MANUAL)
    seen = simulator.dashboard("expire", intent)
    assert (seen["status"], seen["amount_capturable"]) == ("requires_capture", 2000)
    began = len(simulator.events())
    answers = [http.post(f"{INTENTS}/{intent}/capture", Idempotency_Key="k") for _ in range(2)]
    assert answers[0].content == answers[1].content
    given = error(answers[0])
    assert (given["type"], given["code"]) == (
        *("invalid_request_error", "charge_expired_for_capture"),
    )
    assert given["payment_intent"] == http.get(f"{INTENTS}/{intent}").json()
    assert (given["payment_intent"]["status"], given["payment_intent"]["cancellation_reason"]) == (
        *("canceled", "expired"),
    )
    assert [each["type"] for each in simulator.events()[began:]] == [
        *("refund.created", "charge.refunded", "charge.expired", "payment_intent.canceled")
    ]
    simulator.advance(8 * 86400)
    assert [each["amount"] for each in simulator.releases()] == [2000]


def test_lapsed_authorization_can_be_canceled(http, simulator):
    intent = paid(http, **MANUAL)
    simulator.dashboard("expire", intent)
    assert http.post(f"{INTENTS}/{intent}/cancel").json()["status"] == "canceled"
    assert len(simulator.releases()) == 1


def test_capture_that_the_bank_declines_returns_402(http, simulator):
    intent = paid(http, **MANUAL)
    simulator.dashboard("decline_captures", intent)
    began = len(simulator.events())
    for _ in range(2):
        given = error(http.post(f"{INTENTS}/{intent}/capture"), 402)
        assert (given["type"], given["code"]) == ("card_error", "card_declined")
        assert given["payment_intent"]["status"] == "requires_capture"
    assert http.get(f"{INTENTS}/{intent}").json()["amount_received"] == 0
    assert len(simulator.events()) == began
    assert http.post(f"{INTENTS}/{intent}/cancel").json()["status"] == "canceled"


@pytest.mark.parametrize("action", ["expire", "decline_captures"])
def test_bank_refuses_only_what_is_authorized(http, action):
    form = {"action": action, "payment_intent": paid(http)}
    assert http.control("POST", "dashboard", form).status_code == 400


def test_list_refunds_expands_the_charge(http):
    intent = paid(http, **MANUAL)
    http.post(f"{INTENTS}/{intent}/capture", {"amount_to_capture": "500"})
    refund(http, intent)
    listed = http.get(REFUNDS, **{"expand[]": "data.charge"}).json()["data"]
    assert [each["amount"] for each in listed] == [500, 1500]
    for each in listed:
        assert each["charge"] == http.get(f"/v1/charges/{each['charge']['id']}").json()
        assert each["payment_intent"] == intent


def test_captured_payment_does_not_expire(http, simulator):
    intent = paid(http, **MANUAL)
    http.post(f"{INTENTS}/{intent}/capture")
    simulator.advance(8 * 86400)
    assert http.get(f"{INTENTS}/{intent}").json()["status"] == "succeeded"
    assert simulator.releases() == []


def test_cancel_in_every_open_state_succeeds(http, simulator):
    states = {
        http.intent()["id"]: "requires_payment_method",
        http.intent(payment_method="pm_card_visa")["id"]: "requires_confirmation",
        paid(http, "pm_card_authenticationRequired"): "requires_action",
        paid(http, **MANUAL): "requires_capture",
    }
    for intent, status in states.items():
        assert http.get(f"{INTENTS}/{intent}").json()["status"] == status
        canceled = http.post(f"{INTENTS}/{intent}/cancel").json()
        assert (canceled["status"], canceled["amount_capturable"]) == ("canceled", 0)
    assert [each["amount"] for each in simulator.releases()] == [2000]
    assert simulator.refunds() == []


def test_sdk_creates_lists_and_gets_refunds(client, simulator, http):
    intent = paid(http)
    made = client.v1.refunds.create(
        {"payment_intent": intent, "amount": 700, "metadata": {"refund_id": "ref_1"}},
        {"idempotency_key": "k.1"},
    )
    assert made.metadata["refund_id"] == "ref_1"
    assert simulator.requests[-1].operation == "refund"
    listed = client.v1.refunds.list({"payment_intent": intent, "limit": 1})
    assert [each.id for each in listed.auto_paging_iter()] == [made.id]
    assert client.v1.refunds.retrieve(made.id).amount == 700
    with pytest.raises(sdk.InvalidRequestError) as refusal:
        client.v1.refunds.create({"payment_intent": intent, "amount": 1301})
    assert refusal.value.code == "amount_too_large"
