"""Idempotency keys. Source: docs/providers.md, sections C and G."""

import threading
import time

import pytest

INTENTS = "/v1/payment_intents"
NEW = {"amount": "2000", "currency": "usd"}


def test_repeated_request_returns_the_same_bytes(http, simulator):
    first = http.post(INTENTS, NEW, Idempotency_Key="k")
    second = http.post(INTENTS, NEW, Idempotency_Key="k")
    assert first.content == second.content
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.headers["Original-Request"] == first.headers["Request-Id"]
    assert second.headers["Request-Id"] != first.headers["Request-Id"]
    assert len(simulator.intents()) == 1


def test_replay_returns_the_state_of_the_first_request(http, simulator):
    intent = http.intent()["id"]
    http.post(f"{INTENTS}/{intent}", {"amount": "3000"}, Idempotency_Key="k")
    http.post(f"{INTENTS}/{intent}", {"amount": "4000"})
    again = http.post(f"{INTENTS}/{intent}", {"amount": "3000"}, Idempotency_Key="k").json()
    assert again["amount"] == 3000
    assert simulator.intents()[0]["amount"] == 4000


@pytest.mark.parametrize(
    ("path", "form"),
    [
        (INTENTS, NEW | {"amount": "2001"}),
        (INTENTS, NEW | {"description": "Tea"}),
        ("/v1/customers", NEW),
    ],
)
def test_other_request_with_same_key_returns_400(http, path, form):
    first = http.post(INTENTS, NEW, Idempotency_Key="k")
    answer = http.post(path, form, Idempotency_Key="k")
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "idempotency_error")
    assert http.post(INTENTS, NEW, Idempotency_Key="k").content == first.content


def test_repeated_request_with_fields_in_other_order_is_replayed(http):
    first = http.post(INTENTS, "amount=2000&currency=usd", Idempotency_Key="k")
    second = http.post(INTENTS, "currency=usd&amount=2000", Idempotency_Key="k")
    assert first.content == second.content


def test_stored_decline_is_replayed_without_a_second_charge(http, simulator):
    path = f"{INTENTS}/{http.intent()['id']}/confirm"
    form = {"payment_method": "pm_card_visa_chargeDeclined"}
    answers = [http.post(path, form, Idempotency_Key="k") for _ in range(2)]
    assert [each.status_code for each in answers] == [402, 402]
    assert answers[0].content == answers[1].content
    assert len(simulator.declines()) == 1


def test_stored_500_is_replayed_although_the_charge_was_made(http, simulator):
    path = f"{INTENTS}/{http.intent()['id']}/confirm"
    simulator.fault("confirm", "500_after")
    form = {"payment_method": "pm_card_visa"}
    answers = [http.post(path, form, Idempotency_Key="k") for _ in range(2)]
    assert [each.status_code for each in answers] == [500, 500]
    assert answers[1].headers["Idempotent-Replayed"] == "true"
    assert len(simulator.charges()) == 1


def test_refusal_by_the_endpoint_is_stored(http):
    path = f"{INTENTS}/{http.intent()['id']}/capture"
    http.post(path, Idempotency_Key="k")
    assert http.post(path, Idempotency_Key="k").headers["Idempotent-Replayed"] == "true"


def test_failed_validation_is_not_stored(http):
    assert http.post(INTENTS, NEW | {"foo": "1"}, Idempotency_Key="k").status_code == 400
    assert http.post(INTENTS, NEW | {"amount": "x"}, Idempotency_Key="k").status_code == 400
    assert http.post(INTENTS, NEW, Idempotency_Key="k").status_code == 200


def test_missing_return_url_is_not_stored(http):
    path = f"{INTENTS}/{http.post(INTENTS, NEW).json()['id']}/confirm"
    form = {"payment_method": "pm_card_visa"}
    assert http.post(path, form, Idempotency_Key="k").status_code == 400
    form["return_url"] = "https://shop.test/"
    assert http.post(path, form, Idempotency_Key="k").status_code == 200


def test_key_in_use_returns_409_that_is_not_stored(http, simulator):
    simulator.fault("create_payment", "slow", ms=300)
    first = []
    thread = threading.Thread(
        target=lambda: first.append(http.post(INTENTS, NEW, Idempotency_Key="k"))
    )
    thread.start()
    while not simulator.requests:
        time.sleep(0.005)
    time.sleep(0.05)
    busy = http.post(INTENTS, NEW, Idempotency_Key="k")
    thread.join()
    assert (busy.status_code, busy.json()["error"]["code"]) == (409, "idempotency_key_in_use")
    assert http.post(INTENTS, NEW, Idempotency_Key="k").content == first[0].content
    assert len(simulator.intents()) == 1


def test_same_key_of_other_api_key_is_another_key(http, simulator):
    http.post(INTENTS, NEW, Idempotency_Key="k")
    other = http.post(INTENTS, NEW, Idempotency_Key="k", Authorization="Bearer sk_test_other")
    assert "Idempotent-Replayed" not in other.headers
    assert len(simulator.intents()) == 2


def test_key_older_than_24_hours_runs_again(http, simulator):
    http.post(INTENTS, NEW, Idempotency_Key="k")
    simulator.advance(24 * 3600 - 60)
    assert "Idempotent-Replayed" in http.post(INTENTS, NEW, Idempotency_Key="k").headers
    simulator.advance(120)
    assert "Idempotent-Replayed" not in http.post(INTENTS, NEW, Idempotency_Key="k").headers
    assert len(simulator.intents()) == 2


def test_key_above_255_characters_returns_400(http):
    assert http.post(INTENTS, NEW, Idempotency_Key="k" * 255).status_code == 200
    assert http.post(INTENTS, NEW, Idempotency_Key="k" * 256).status_code == 400


def test_get_with_a_key_stores_nothing(http):
    intent = http.intent()["id"]
    assert (
        "Idempotent-Replayed"
        not in http.send("GET", f"{INTENTS}/{intent}", Idempotency_Key="k").headers
    )
    assert http.post(INTENTS, NEW, Idempotency_Key="k").status_code == 200
