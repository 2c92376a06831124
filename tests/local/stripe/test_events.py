"""Every change of state makes an event, with the old values and the request that caused it."""

from datetime import UTC, datetime

import pytest

INTENTS, EVENTS = "/v1/payment_intents", "/v1/events"
RETURN_URL = "https://shop.test/back"


def types(simulator):
    return [each["type"] for each in simulator.events()]


def last(simulator, kind):
    return [each for each in simulator.events() if each["type"] == kind][-1]


def paid(http, method="pm_card_visa", **fields):
    intent = http.intent(**fields)["id"]
    http.confirm(intent, method)
    return intent


def test_payment_makes_three_events(http, simulator):
    intent = paid(http, **{"metadata[payment_id]": "pay_1"})
    assert types(simulator) == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]
    event = simulator.events()[-1]
    assert event["data"]["object"]["id"] == intent
    assert event["data"]["object"]["status"] == "succeeded"
    assert event["data"]["object"]["metadata"] == {"payment_id": "pay_1"}
    assert (event["livemode"], event["api_version"]) == (False, "2026-10-28.endive")
    assert len({each["id"] for each in simulator.events()}) == 3


def test_event_has_the_object_as_it_was_at_that_time(http, simulator):
    intent = paid(http)
    created = simulator.events()[0]["data"]["object"]
    assert (created["id"], created["status"]) == (intent, "requires_payment_method")


def test_event_has_the_request_that_caused_it(http, simulator):
    answer = http.post(INTENTS, {"amount": "2000", "currency": "usd"}, Idempotency_Key="k.1")
    assert simulator.events()[-1]["request"] == {
        "id": answer.headers["Request-Id"],
        "idempotency_key": "k.1",
    }
    simulator.dashboard("cancel", answer.json()["id"])
    assert simulator.events()[-1]["request"] == {"id": None, "idempotency_key": None}


def test_replay_or_refusal_makes_no_event(http, simulator):
    form = {"amount": "2000", "currency": "usd"}
    for _ in range(2):
        http.post(INTENTS, form, Idempotency_Key="k.1")
    http.post(INTENTS, form | {"currency": "xxx"})
    assert types(simulator) == ["payment_intent.created"]


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        ("pm_card_visa_chargeDeclined", ["charge.failed", "payment_intent.payment_failed"]),
        ("pm_card_authenticationRequired", ["payment_intent.requires_action"]),
    ],
)
def test_confirm_that_does_not_pay_makes_its_events(http, simulator, card, expected):
    paid(http, card)
    assert types(simulator)[1:] == expected


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [(True, "payment_intent.succeeded"), (False, "payment_intent.payment_failed")],
)
def test_end_of_authentication_makes_an_event(http, simulator, outcome, expected):
    intent = paid(http, "pm_card_authenticationRequired")
    simulator.authenticate(intent, success=outcome)
    assert types(simulator)[-1] == expected


def test_create_with_confirm_makes_the_same_events(http, simulator):
    form = {"amount": "2000", "currency": "usd", "confirm": "true", "return_url": RETURN_URL}
    http.post(INTENTS, form | {"payment_method": "pm_card_visa"})
    assert sorted(types(simulator)) == [
        "charge.succeeded",
        "payment_intent.created",
        "payment_intent.succeeded",
    ]


def test_authorization_and_partial_capture_make_their_events(http, simulator):
    intent = paid(http, capture_method="manual")
    assert types(simulator)[1:] == [
        "charge.succeeded",
        "payment_intent.amount_capturable_updated",
    ]
    http.post(f"{INTENTS}/{intent}/capture", {"amount_to_capture": "500"})
    assert types(simulator)[3:] == [
        "refund.created",
        "charge.refunded",
        "charge.captured",
        "payment_intent.succeeded",
    ]
    captured = last(simulator, "charge.captured")["data"]
    assert captured["previous_attributes"]["amount_captured"] == 0
    assert captured["object"]["amount_captured"] == 500


def test_canceled_or_expired_authorization_makes_its_events(http, simulator):
    for _ in range(2):
        intent = paid(http, capture_method="manual")
    http.post(f"{INTENTS}/{intent}/cancel")
    assert types(simulator)[6:] == ["refund.created", "charge.refunded", "payment_intent.canceled"]
    simulator.advance(7 * 86400)
    assert types(simulator)[9:] == [
        "refund.created",
        "charge.refunded",
        "charge.expired",
        "payment_intent.canceled",
    ]


def test_late_and_failing_refunds_make_their_events(http, simulator):
    late = paid(http, "pm_card_pendingRefund")
    http.post("/v1/refunds", {"payment_intent": late, "amount": "500"})
    assert types(simulator)[3:] == ["refund.created", "charge.refunded"]
    assert simulator.events()[3]["data"]["object"]["status"] == "pending"
    assert last(simulator, "charge.refunded")["data"]["previous_attributes"] == {
        "amount_refunded": 0
    }
    simulator.advance(60)
    assert types(simulator)[5:] == ["refund.updated", "charge.refund.updated"]
    assert simulator.events()[-1]["data"]["previous_attributes"]["status"] == "pending"
    failing = paid(http, "pm_card_refundFail")
    http.post("/v1/refunds", {"payment_intent": failing})
    simulator.advance(60)
    assert types(simulator)[-3:] == ["refund.failed", "refund.updated", "charge.refund.updated"]
    failed = last(simulator, "refund.failed")["data"]["object"]
    assert (failed["payment_intent"], failed["status"]) == (failing, "failed")


def test_disputes_make_events_for_money_and_status(http, simulator):
    kept, lost, asked, taken = (paid(http) for _ in range(4))
    began = len(simulator.events())
    for intent, outcome in ((kept, "won"), (lost, "lost")):
        simulator.dashboard("dispute", intent)
        simulator.dashboard("close_dispute", intent, outcome=outcome)
    for intent, outcome in ((asked, "won"), (taken, "lost")):
        simulator.dashboard("inquire", intent)
        simulator.dashboard("close_dispute", intent, outcome=outcome)
    events = [
        (each["data"]["object"]["payment_intent"], each["type"].removeprefix("charge.dispute."))
        for each in simulator.events()[began:]
    ]
    assert [kind for intent, kind in events if intent == kept] == [
        *("created", "funds_withdrawn", "updated", "funds_reinstated", "closed")
    ]
    assert [kind for intent, kind in events if intent == lost] == [
        *("created", "funds_withdrawn", "updated", "closed")
    ]
    assert [kind for intent, kind in events if intent == asked] == ["created", "updated", "closed"]
    assert [kind for intent, kind in events if intent == taken] == [
        *("created", "updated", "funds_withdrawn", "closed")
    ]


def test_customers_and_methods_make_their_events(http, simulator):
    customer = http.customer(email="a@b.test")
    http.post(f"/v1/customers/{customer}", {"name": "Jane"})
    http.post(f"/v1/customers/{customer}", {"name": "Jane"})
    first, second = http.saved(customer), http.saved(customer)
    http.post(f"/v1/payment_methods/{first}", {"billing_details[name]": "Jane"})
    http.post(f"/v1/payment_methods/{first}/detach")
    http.send("DELETE", f"/v1/customers/{customer}")
    assert types(simulator) == [
        "customer.created",
        "customer.updated",
        "payment_method.attached",
        "payment_method.attached",
        "payment_method.updated",
        "payment_method.detached",
        "payment_method.detached",
        "customer.deleted",
    ]
    assert last(simulator, "customer.updated")["data"]["previous_attributes"] == {"name": None}
    detached = last(simulator, "payment_method.detached")["data"]
    assert (detached["object"]["id"], detached["object"]["customer"]) == (second, None)
    assert detached["previous_attributes"] == {"customer": customer}
    assert last(simulator, "customer.deleted")["data"]["object"]["email"] == "a@b.test"


def test_dashboard_renews_expires_and_detaches_a_saved_card(http, simulator):
    customer = http.customer()
    saved = http.saved(customer)
    intent = paid(http, saved, customer=customer)
    before = simulator.world.methods[saved].render()
    [charge] = simulator.charges()
    for action in ("renew", "expire", "detach"):
        given = {"action": action, "payment_method": saved}
        assert http.control("POST", "dashboard", given).json()["id"] == saved
    assert http.get(f"/v1/payment_methods/{saved}").json()["customer"] is None
    events = http.get(EVENTS, type="payment_method.*").json()["data"][2::-1]
    assert [each["type"].removeprefix("payment_method.") for each in events] == [
        *("automatically_updated", "updated", "detached")
    ]
    renewed, expired, detached = (each["data"] for each in events)
    assert renewed["previous_attributes"] == {"card": before["card"]}
    new, old = renewed["object"]["card"], before["card"]
    assert (new["brand"], new["exp_month"]) == (old["brand"], old["exp_month"])
    assert (new["last4"], new["exp_year"]) == ("4243", old["exp_year"] + 4)
    assert new["fingerprint"] != old["fingerprint"]
    expired_card, now = (
        expired["object"]["card"],
        datetime.fromtimestamp(simulator.world.now(), UTC),
    )
    assert (
        expired_card["exp_year"] * 12 + expired_card["exp_month"]
    ) == now.year * 12 + now.month - 1
    assert detached["previous_attributes"] == {"customer": customer}
    assert simulator.charges() == [charge], "what was paid was paid with the old card"
    assert [each["payment_intent"] for each in simulator.charges()] == [intent]


def test_dashboard_action_on_unsaved_card_returns_an_error(http, simulator):
    saved = http.saved(http.customer())
    http.post(f"/v1/payment_methods/{saved}/detach")
    began = len(simulator.events())
    for action in ("renew", "expire", "detach"):
        for token, status in ((saved, 400), ("pm_nothing", 404)):
            given = {"action": action, "payment_method": token}
            assert http.control("POST", "dashboard", given).status_code == status
    for given in ({"payment_method": saved}, {"action": "refund", "payment_method": saved}):
        assert http.control("POST", "dashboard", given).status_code == 400
    assert len(simulator.events()) == began


def test_card_saved_by_a_payment_makes_an_attached_event(http, simulator):
    customer = http.customer()
    for method in ("pm_card_visa", http.saved(customer)):
        paid(http, method, customer=customer, setup_future_usage="off_session")
    assert types(simulator).count("payment_method.attached") == 2


def test_list_events_filters_by_type_newest_first(http, simulator, client):
    paid(http)
    paid(http)
    everything = [each["id"] for each in simulator.events()]
    listed = http.get(EVENTS).json()["data"]
    assert [each["id"] for each in listed] == list(reversed(everything))
    starred = http.get(EVENTS, type="payment_intent.*").json()["data"]
    assert len(starred) == 4
    assert len(http.get(EVENTS, **{"types[0]": "charge.succeeded"}).json()["data"]) == 2
    both = {"types[0]": "charge.succeeded", "type": "charge.succeeded"}
    assert http.get(EVENTS, **both).status_code == 400
    assert http.get(f"{EVENTS}/{everything[0]}").json() == listed[-1]
    assert http.get(f"{EVENTS}/evt_nothing").status_code == 404
    assert client.v1.events.retrieve(everything[0]).type == "payment_intent.created"


def test_list_events_returns_400_for_more_than_20_types(http):
    paid(http)
    types = {f"types[{each}]": f"charge.kind_{each}" for each in range(19)}
    types["types[19]"] = "charge.succeeded"
    assert len(http.get(EVENTS, **types).json()["data"]) == 1
    refused = http.get(EVENTS, **types, **{"types[20]": "charge.failed"})
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "types")


def test_list_events_takes_a_star_in_type_and_not_in_types(http):
    paid(http)
    assert len(http.get(EVENTS, type="charge.*").json()["data"]) == 1
    assert http.get(EVENTS, **{"types[0]": "charge.*"}).json()["data"] == []


def test_events_are_gone_after_30_days(http, simulator):
    http.intent()
    [old] = http.get(EVENTS).json()["data"]
    simulator.advance(29 * 86400)
    http.intent()
    assert len(http.get(EVENTS).json()["data"]) == 2
    assert http.get(f"{EVENTS}/{old['id']}").status_code == 200
    simulator.advance(86400)
    [new] = http.get(EVENTS).json()["data"]
    assert new["id"] != old["id"]
    for gone in (f"{EVENTS}/{old['id']}", f"{EVENTS}/evt_nothing"):
        refused = http.get(gone)
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "resource_missing")
    assert http.get(EVENTS, starting_after=old["id"]).status_code == 400


def test_list_events_filters_by_type_and_time_and_pages(http, simulator):
    paid(http)
    simulator.advance(100)
    new = [paid(http) for _ in range(3)]
    since = http.get(f"{INTENTS}/{new[0]}").json()["created"]
    query = {"types[0]": "charge.succeeded", "created[gte]": str(since), "limit": "2"}
    first = http.get(EVENTS, **query).json()
    rest = http.get(EVENTS, **query, starting_after=first["data"][-1]["id"]).json()
    assert (first["has_more"], rest["has_more"]) == (True, False)
    found = [each["data"]["object"]["payment_intent"] for each in first["data"] + rest["data"]]
    assert found == list(reversed(new))
    query["ending_before"] = rest["data"][0]["id"]
    before = http.get(EVENTS, **query).json()
    assert before["data"] == first["data"]
