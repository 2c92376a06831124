"""A flood of webhooks, genuine and forged: nothing is lost, and other requests are still answered.

Source: docs/payment-correctness.md, section 7; docs/api/native.md, section 6.
"""

import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from bridge.core.operations import payment_operator
from bridge.models.caller import Caller
from local.stripe.simulator import StripeSimulator
from tests.conftest import Environment
from tests.contracts.records import Scan, assert_converged, stored_payments
from tests.contracts.shape import Client, slowness
from tests.stripe_events import TARGET, Event, about_intent, sign, unfinished

BASE = "/bridge-payment"
SENDERS, OTHERS = 8, 20
SLOWEST_READ_S = 5  # on a machine on which `slowness` is 1
EVENTS = int(
    os.environ.get("FLOOD", "200")
)  # so many genuine ones for one payment, and so many forged ones


def test_flood_of_webhooks_loses_nothing_and_does_not_block_other_requests(
    environment: Environment,
    client: Client,
    sign_in: Callable[[Caller], Client],
    scan: Scan,
    stripe_simulator: StripeSimulator,
) -> None:
    user = sign_in(Caller(user_id="user_1"))
    payments = [paid(user, stripe_simulator) for _ in range(1 + OTHERS)]
    flooded, queue = payments[0], environment.queues["SyncQueue"]
    genuine = [about_intent(flooded) for _ in range(EVENTS)]
    genuine += [about_intent(each) for each in payments[1:]]
    secret = sign("{}", "whsec_of_somebody_else")
    forged = [(json.dumps(about_intent(flooded)), secret) for _ in range(EVENTS)]
    signed = [(json.dumps(each), sign(json.dumps(each))) for each in genuine]
    mixed = [each for pair in zip(signed, forged, strict=False) for each in pair] + signed[EVENTS:]

    def deliver(sent: tuple[str, str]) -> tuple[int, str]:
        body, signature = sent
        answer = environment.gateway.call("POST", TARGET, {"Stripe-Signature": signature}, body)
        return answer.status, answer.json().get("code", "")

    is_over, slowest = threading.Event(), 0.0

    def read() -> None:
        nonlocal slowest
        while not is_over.is_set():
            began = time.monotonic()
            assert user.ask("GET", f"{BASE}/payments/{flooded['id']}").status == 200
            slowest = max(slowest, time.monotonic() - began)
            is_over.wait(0.05)

    def work() -> None:
        while environment.worker.run_once(1) or not is_over.is_set() or unfinished(queue):
            pass

    asked, began = len(stripe_simulator.requests), time.monotonic()
    helpers = [threading.Thread(target=each) for each in (read, work)]
    for helper in helpers:
        helper.start()
    with ThreadPoolExecutor(SENDERS) as senders:
        answers = Counter(senders.map(deliver, mixed))
    sent_s = time.monotonic() - began
    is_over.set()
    for helper in helpers:
        helper.join()
    took_s, provider_calls = time.monotonic() - began, len(stripe_simulator.requests) - asked
    sys.stdout.write(
        f"{len(mixed)} in {sent_s:.1f} s, done after {took_s:.1f} s with {provider_calls} calls;"
        f" the slowest read took {slowest * 1000:.0f} ms\n"
    )
    assert answers == {(200, ""): EVENTS + OTHERS, (400, "signature_invalid"): EVENTS}
    assert unfinished(environment.queues["SyncDeadLetters"]) == 0
    assert_converged(stored_payments(scan), stripe_simulator)
    assert {status_of(user, each) for each in payments} == {"succeeded"}
    assert provider_calls <= EVENTS + OTHERS, "an event brings one status check at most"
    assert slowest < SLOWEST_READ_S or slowest < SLOWEST_READ_S * slowness()
    assert len(payment_operator.inspect_payment(flooded["id"]).timeline) == 2


def paid(user: Client, stripe_simulator: StripeSimulator) -> Event:
    """A payment that was paid in the browser. We do not know it yet."""
    money = {"total_cents": 2000, "currency": "USD"}
    made: Event = user.ask("POST", f"{BASE}/payments/intents", money).json()
    intent, secret = made["provider_payment_id"], made["client_secret"]
    stripe_simulator.browser_confirm(intent, secret, "pm_card_visa")
    return made


def status_of(user: Client, payment: Event) -> str:
    """The status that the API reports."""
    return str(user.ask("GET", f"{BASE}/payments/{payment['id']}").json()["status"])
