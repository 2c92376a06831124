"""Many requests at once: each intent is charged once, and no request fails."""

import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

INTENTS = "/v1/payment_intents"


@pytest.fixture(autouse=True)
def _short_thread_switches():
    """Switch threads after a microsecond, so that a missing lock makes a test fail."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def at_once(count, call):
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(call, range(count)))


def test_32_confirms_of_one_intent_make_one_charge(http, simulator):
    intent = http.intent()["id"]
    statuses = at_once(32, lambda _: http.confirm(intent, "pm_card_visa").status_code)
    assert Counter(statuses) == {200: 1, 400: 31}
    assert len(simulator.charges()) == 1


def test_32_creations_with_one_key_make_one_intent(http, simulator):
    form = {"amount": "2000", "currency": "usd"}
    answers = at_once(32, lambda _: http.post(INTENTS, form, Idempotency_Key="k"))
    assert {each.status_code for each in answers} <= {200, 409}
    assert len({each.content for each in answers if each.status_code == 200}) == 1
    assert len(simulator.intents()) == 1


def test_eight_intents_confirmed_with_one_unsaved_method_make_one_charge(http, simulator):
    path = "/v1/payment_methods"
    method = http.post(path, {"type": "card", "card[token]": "tok_visa"}).json()["id"]
    intents = [http.intent()["id"] for _ in range(8)]
    at_once(8, lambda index: http.confirm(intents[index], method))
    assert len(simulator.charges()) == 1


def test_200_confirms_at_once_all_succeed(http, simulator):
    intents = [simulator.seed_payment(f"pi_{n}", amount=100, currency="usd") for n in range(200)]
    form = {"return_url": "https://shop.test/"}
    statuses = at_once(
        200,
        lambda index: http.confirm(str(intents[index]["id"]), "pm_card_visa", **form).status_code,
    )
    assert Counter(statuses) == {200: 200}
    assert len({each["payment_intent"] for each in simulator.charges()}) == 200


def test_50_partial_refunds_never_exceed_the_captured_amount(http, simulator):
    intent = http.intent()["id"]
    http.confirm(intent, "pm_card_visa")
    form = {"payment_intent": intent, "amount": "130"}
    answers = at_once(50, lambda _: http.post("/v1/refunds", form).status_code)
    assert Counter(answers) == {200: 15, 400: 35}
    assert sum(each["amount"] for each in simulator.refunds()) == 1950
