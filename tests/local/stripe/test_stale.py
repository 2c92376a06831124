"""Reads from a replica that lags behind. Source: docs/providers.md, section G."""

import pytest

INTENTS, REFUNDS, EVENTS = "/v1/payment_intents", "/v1/refunds", "/v1/events"


def stale(http, simulator, path, **query):
    """What one stale read answers."""
    simulator.fault("", "stale")
    return http.get(path, **query)


def ids(response):
    return [each["id"] for each in response.json()["data"]]


def test_stale_read_of_intent_is_as_before_the_confirm(http, simulator):
    intent = http.intent()
    http.confirm(intent["id"], "pm_card_visa")
    path = f"{INTENTS}/{intent['id']}"
    assert stale(http, simulator, path).json() == intent
    assert stale(http, simulator, INTENTS).json()["data"] == [intent]
    assert http.get(path).json()["status"] == "succeeded"
    assert len(simulator.charges()) == 1


def test_stale_read_of_new_object_returns_404(http, simulator):
    intent = http.intent()["id"]
    refused = stale(http, simulator, f"{INTENTS}/{intent}")
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "resource_missing")
    assert ids(stale(http, simulator, INTENTS)) == []
    http.confirm(intent, "pm_card_visa")
    charge = http.get(f"{INTENTS}/{intent}").json()["latest_charge"]
    assert stale(http, simulator, f"/v1/charges/{charge}").status_code == 404
    assert http.get(f"/v1/charges/{charge}").status_code == 200


def test_stale_read_is_as_before_the_refund(http, simulator):
    intent = http.intent()["id"]
    http.confirm(intent, "pm_card_visa")
    charge = http.get(f"{INTENTS}/{intent}").json()["latest_charge"]
    first = http.post(REFUNDS, {"payment_intent": intent, "amount": "500"}).json()["id"]
    second = http.post(REFUNDS, {"charge": charge, "amount": "500"}).json()["id"]
    assert ids(stale(http, simulator, REFUNDS, payment_intent=intent)) == [first]
    assert stale(http, simulator, f"/v1/charges/{charge}").json()["amount_refunded"] == 500
    assert stale(http, simulator, f"{REFUNDS}/{second}").status_code == 404
    expanded = {"expand[0]": "latest_charge.refunds"}
    seen = stale(http, simulator, f"{INTENTS}/{intent}", **expanded).json()["latest_charge"]
    assert (seen["amount_refunded"], len(seen["refunds"]["data"])) == (500, 1)
    assert ids(http.get(REFUNDS, payment_intent=intent)) == [second, first]


def test_stale_list_of_events_lacks_those_of_the_newest_write(http, simulator):
    intent = http.intent()["id"]
    before = ids(http.get(EVENTS))
    http.confirm(intent, "pm_card_visa")
    assert ids(stale(http, simulator, EVENTS)) == before
    assert len(ids(http.get(EVENTS))) == 3


def test_stale_list_of_disputes_lacks_what_came_after_the_newest_write(http, simulator):
    intent = http.intent()["id"]
    http.confirm(intent, "pm_card_visa")
    simulator.dashboard("dispute", intent)
    assert ids(stale(http, simulator, "/v1/disputes")) == []
    http.post(f"{INTENTS}/{intent}", {"description": "Tea"})
    assert len(ids(stale(http, simulator, "/v1/disputes"))) == 1


def test_only_the_newest_write_is_missing(http, simulator):
    paid = http.intent()["id"]
    http.confirm(paid, "pm_card_visa")
    other = http.intent()["id"]
    assert stale(http, simulator, f"{INTENTS}/{paid}").json()["status"] == "succeeded"
    assert stale(http, simulator, f"{INTENTS}/{other}").status_code == 404


@pytest.mark.parametrize(("lag", "status"), [(10, "succeeded"), (60, "requires_payment_method")])
def test_stale_read_lags_only_so_long(http, simulator, lag, status):
    intent = http.intent()["id"]
    http.confirm(intent, "pm_card_visa")
    simulator.advance(30)
    simulator.fault("fetch", "stale", lag=lag)
    assert http.get(f"{INTENTS}/{intent}").json()["status"] == status


def test_what_the_clock_brought_is_not_stale_without_a_write(http, simulator):
    intent = http.intent()["id"]
    http.confirm(intent, "pm_usBankAccount_success")
    http.intent()
    simulator.advance(60)
    seen = stale(http, simulator, f"{INTENTS}/{intent}").json()
    assert seen["status"] == "succeeded"


def test_stale_fault_acts_only_on_reads(http, simulator):
    simulator.fault("", "stale")
    intent = http.intent()["id"]
    assert simulator.faults.listed()[0]["fired"] == 0
    assert http.get(f"{INTENTS}/{intent}").status_code == 404
    assert http.get(f"{INTENTS}/{intent}").status_code == 200


def test_replay_and_refused_key_are_no_write(http, simulator):
    form = {"amount": "2000", "currency": "usd"}
    first = http.post(INTENTS, form, Idempotency_Key="k").json()["id"]
    http.post(f"{INTENTS}/{first}", {"description": "Tea"})
    http.post(INTENTS, form, Idempotency_Key="k")
    http.post(INTENTS, form, Authorization="Bearer sk_live_1")
    assert stale(http, simulator, f"{INTENTS}/{first}").json()["description"] is None


def test_stale_read_by_control_and_after_reset(http, simulator):
    intent = http.intent()["id"]
    fault = {"match": {"operation": "fetch"}, "kind": "stale", "lag": 5}
    assert http.control("POST", "faults", fault).json()[0]["lag"] == 5
    assert http.get(f"{INTENTS}/{intent}").status_code == 404
    simulator.reset()
    simulator.seed_payment("pi_1", amount=2000, currency="usd")
    assert stale(http, simulator, f"{INTENTS}/pi_1").status_code == 200


def test_restored_state_has_its_past(http, simulator):
    intent = http.intent()["id"]
    http.confirm(intent, "pm_card_visa")
    restore = simulator.save()
    for _ in range(2):
        http.post(REFUNDS, {"payment_intent": intent})
        restore()
        seen = stale(http, simulator, f"{INTENTS}/{intent}").json()
        assert seen["status"] == "requires_payment_method"
