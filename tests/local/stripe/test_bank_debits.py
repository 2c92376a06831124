"""Payments from a bank account: the bank answers later. Source: Stripe, "ACH Direct Debit"."""

import pytest

INTENTS, REFUNDS = "/v1/payment_intents", "/v1/refunds"
SUCCESS, NO_FUNDS = "pm_usBankAccount_success", "pm_usBankAccount_insufficientFunds"
EXPANDED = {"expand[0]": "latest_charge", "expand[1]": "payment_method"}


def error(response, status=400):
    assert response.status_code == status, response.text
    return response.json()["error"]


def processing(http, method=SUCCESS, **fields):
    intent = http.intent(**fields)["id"]
    answer = http.confirm(intent, method)
    assert (answer.status_code, answer.json()["status"]) == (200, "processing")
    return intent


def types(simulator):
    return [each["type"] for each in simulator.events()]


def test_confirm_waits_for_the_bank(http, simulator):
    intent = http.get(f"{INTENTS}/{processing(http)}", **EXPANDED).json()
    assert (intent["status"], intent["amount_received"]) == ("processing", 0)
    assert (intent["last_payment_error"], intent["next_action"]) == (None, None)
    assert intent["payment_method"]["us_bank_account"]["last4"] == "6789"
    charge = intent["latest_charge"]
    assert charge["id"].startswith("py_")
    assert (charge["status"], charge["paid"], charge["captured"]) == ("pending", False, False)
    assert charge["payment_method_details"]["type"] == "us_bank_account"
    assert simulator.charges() + simulator.declines() == []
    assert types(simulator)[1:] == ["charge.pending", "payment_intent.processing"]


def test_debit_succeeds_after_60_seconds(http, simulator):
    intent = processing(http)
    simulator.advance(58)
    assert http.get(f"{INTENTS}/{intent}").json()["status"] == "processing"
    simulator.advance(2)
    paid = http.get(f"{INTENTS}/{intent}", **EXPANDED).json()
    assert (paid["status"], paid["amount_received"]) == ("succeeded", 2000)
    charge = paid["latest_charge"]
    assert (charge["status"], charge["captured"], charge["amount_captured"]) == (
        *("succeeded", True, 2000),
    )
    assert [each["id"] for each in simulator.charges()] == [charge["id"]]
    assert types(simulator)[3:] == ["charge.succeeded", "payment_intent.succeeded"]
    assert simulator.events()[-1]["request"] == {"id": None, "idempotency_key": None}


def test_debit_without_funds_fails_after_60_seconds(http, simulator):
    intent = processing(http, NO_FUNDS)
    simulator.advance(60)
    failed = http.get(f"{INTENTS}/{intent}", **EXPANDED).json()
    assert (failed["status"], failed["payment_method"]) == ("requires_payment_method", None)
    kept = failed["last_payment_error"]
    assert (kept["code"], kept["payment_method"]["type"]) == (
        *("insufficient_funds", "us_bank_account"),
    )
    charge = failed["latest_charge"]
    assert (charge["status"], charge["failure_code"]) == ("failed", "insufficient_funds")
    assert kept["charge"] == charge["id"]
    assert [each["id"] for each in simulator.declines()] == [charge["id"]]
    assert types(simulator)[3:] == ["charge.failed", "payment_intent.payment_failed"]
    assert http.confirm(intent, "pm_card_visa").json()["status"] == "succeeded"


def test_bank_answers_as_late_as_the_simulator_says(http, simulator):
    simulator.debits_settle_after(4 * 86400)
    intent = processing(http)
    simulator.advance(4 * 86400 - 60)
    assert http.get(f"{INTENTS}/{intent}").json()["status"] == "processing"
    simulator.advance(60)
    assert http.get(f"{INTENTS}/{intent}").json()["status"] == "succeeded"
    simulator.debits_settle_after(4 * 86400)
    simulator.reset()
    intent = processing(http)
    simulator.advance(60)
    assert http.get(f"{INTENTS}/{intent}").json()["status"] == "succeeded"


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/confirm", {"payment_method": "pm_card_visa"}),
        ("/cancel", {}),
        ("/capture", {}),
        ("", {"amount": "3000"}),
        ("", {"payment_method": "pm_card_visa"}),
    ],
)
def test_processing_payment_takes_no_change(http, simulator, path, form):
    intent = processing(http)
    given = error(http.post(f"{INTENTS}/{intent}{path}", form))
    assert given["code"] == "payment_intent_unexpected_state"
    assert given["payment_intent"]["status"] == "processing"
    simulator.advance(60)
    assert [each["amount"] for each in simulator.charges()] == [2000]


def test_pending_charge_cannot_be_refunded_or_disputed(http, simulator):
    intent = processing(http)
    assert "successful charge" in error(http.post(REFUNDS, {"payment_intent": intent}))["message"]
    form = {"action": "dispute", "payment_intent": intent}
    assert http.control("POST", "dashboard", form).status_code == 400
    simulator.advance(60)
    assert http.control("POST", "dashboard", form).status_code == 400
    made = http.post(REFUNDS, {"payment_intent": intent, "amount": "500"}).json()
    assert (made["amount"], made["status"]) == (500, "succeeded")


@pytest.mark.parametrize("fields", [{"capture_method": "manual"}, {"currency": "eur"}])
def test_bank_account_pays_only_dollars_and_at_once(http, simulator, fields):
    intent = http.intent(**fields)
    assert intent["payment_method_types"] == ["card"]
    given = error(http.confirm(intent["id"], SUCCESS))
    assert (given["type"], given["param"]) == ("invalid_request_error", "payment_method")
    assert error(http.post(f"{INTENTS}/{intent['id']}", {"payment_method": SUCCESS}))
    assert http.get(f"{INTENTS}/{intent['id']}").json() == intent
    fitting = http.intent(payment_method=SUCCESS)
    assert error(http.post(f"{INTENTS}/{fitting['id']}", fields))["param"] == "payment_method"
    assert http.get(f"{INTENTS}/{fitting['id']}").json() == fitting
    form = {"amount": "2000", "currency": "usd", "payment_method": SUCCESS} | fields
    assert error(http.post(INTENTS, form))["param"] == "payment_method"
    assert types(simulator).count("payment_intent.created") == len(simulator.intents()) == 2


def test_intent_takes_only_methods_of_its_allowed_types(http):
    form = {"amount": "2000", "currency": "usd"}
    for allowed, other in (("card", SUCCESS), ("us_bank_account", "pm_card_visa")):
        types = {"allowed_payment_method_types[0]": allowed}
        intent = http.post(INTENTS, form | types).json()
        assert intent["payment_method_types"] == [allowed]
        assert error(http.confirm(intent["id"], other))["param"] == "payment_method"
    assert http.confirm(intent["id"], SUCCESS).json()["status"] == "processing"


def test_saved_bank_account_is_listed_by_its_type(http, simulator):
    customer = http.customer()
    saved = http.saved(customer, SUCCESS)
    listed = http.get("/v1/payment_methods", customer=customer, type="us_bank_account").json()
    assert [each["id"] for each in listed["data"]] == [saved]
    assert http.get("/v1/payment_methods", customer=customer).json()["data"] == []
    for _ in range(2):
        processing(http, saved, customer=customer)
    simulator.advance(60)
    assert len(simulator.charges()) == 2
    for action, status in (("renew", 400), ("expire", 400), ("detach", 200)):
        given = {"action": action, "payment_method": saved}
        assert http.control("POST", "dashboard", given).status_code == status


def test_restored_debit_ends_as_often_as_it_is_restored(http, simulator):
    intent = processing(http)
    restore = simulator.save()
    for _ in range(2):
        restore()
        assert http.get(f"{INTENTS}/{intent}").json()["status"] == "processing"
        simulator.advance(60)
        assert http.get(f"{INTENTS}/{intent}").json()["status"] == "succeeded"
