"""Stripe's deliveries over HTTP, good and bad: all payments and methods end in the same states.

Source: docs/payment-correctness.md, sections 7 and 8.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from moto.sqs.models import sqs_backends

from bridge import ssm
from bridge.models.caller import Caller
from local.functions import ACCOUNT, REGION
from local.server import Server
from local.stripe.errors import StripeError
from local.stripe.simulator import StripeSimulator
from tests.conftest import Environment
from tests.contracts.records import Scan, assert_converged, stored_payments
from tests.contracts.shape import Client
from tests.stripe_events import TARGET, Event, unfinished

BASE = "/bridge-payment"
MONEY = {"total_cents": 2000, "currency": "USD"}
VISA = {"payment_method_id": "pm_card_visa"}
States = dict[str, str]
HANGS_AFTER_S = 120
"""Far more than any wait here needs; only a test that hangs gets there."""

EXPECTED: States = {
    "paid in the browser": "succeeded",
    "paid here": "succeeded",
    "its answer was lost": "succeeded",
    "declined in the browser": "failed",
    "authenticated at the bank": "succeeded",
    "refunded at the dashboard": "partially_refunded",
    "refunded here and there": "refunded",
    "disputed": "disputed",
    "won again": "succeeded",
    "canceled at the dashboard": "canceled",
    "captured at the dashboard": "succeeded",
    "left alone": "created",
}


@pytest.fixture
def stripe(
    environment: Environment, stripe_simulator: StripeSimulator
) -> Iterator[StripeSimulator]:
    """The simulator, which sends its events to the gateway over HTTP."""
    server = Server(0, environment.gateway.handle)
    server.start()
    secret = ssm.secret("STRIPE_WEBHOOK_SECRET")
    stripe_simulator.webhooks.point(server.url + TARGET, [secret])
    yield stripe_simulator
    stripe_simulator.webhooks.point("", [])
    stripe_simulator.reset()
    server.stop()


class Story:
    """Payments to which different things happen. The keys of `payments` say what."""

    def __init__(self, user: Client, stripe: StripeSimulator) -> None:
        self._user, self._stripe = user, stripe
        self.payments: dict[str, Event] = {}

    def play(self) -> None:
        """Let everything happen."""
        self._browser("paid in the browser", "pm_card_visa")
        self._confirm(self._order("paid here"))
        lost = self._order("its answer was lost")
        self._stripe.fault("confirm", "drop_after")
        self._confirm(lost)
        self._browser("declined in the browser", "pm_card_visa_chargeDeclined")
        waiting = self._browser("authenticated at the bank", "pm_card_threeDSecure2Required")
        self._stripe.authenticate(waiting["provider_payment_id"], success=True)
        self._dashboard(self._paid("refunded at the dashboard"), "refund", 500)
        both = self._paid("refunded here and there")
        self._post(both, "refund", {"amount_cents": 500})
        self._dashboard(both, "refund", 1500)
        self._dashboard(self._paid("disputed"), "dispute")
        won = self._paid("won again")
        self._dashboard(won, "dispute")
        self._dashboard(won, "close_dispute", outcome="won")
        self._dashboard(self._order("canceled at the dashboard"), "cancel")
        manual = self._order("captured at the dashboard", capture_method="manual")
        self._confirm(manual)
        self._dashboard(manual, "capture")
        self._order("left alone")

    def states(self) -> States:
        """The states that the API reports now."""
        return {
            name: self._user.ask("GET", f"{BASE}/payments/{each['id']}").json()["status"]
            for name, each in self.payments.items()
        }

    def _order(self, name: str, **more: object) -> Event:
        made = self._user.ask("POST", f"{BASE}/payments/intents", MONEY | more).json()
        self.payments[name] = made
        return dict(made)

    def _paid(self, name: str) -> Event:
        made = self._order(name)
        self._confirm(made)
        return made

    def _browser(self, name: str, method: str) -> Event:
        made = self._order(name)
        with suppress(StripeError):  # the browser shows a decline, not we
            self._stripe.browser_confirm(made["provider_payment_id"], made["client_secret"], method)
        return made

    def _confirm(self, made: Event) -> None:
        self._user.ask("POST", f"{BASE}/payments/confirm/{made['id']}", VISA)

    def _post(self, made: Event, verb: str, body: object) -> None:
        self._user.ask("POST", f"{BASE}/payments/{made['id']}/{verb}", body)

    def _dashboard(
        self, made: Event, action: str, amount: int | None = None, outcome: str = ""
    ) -> None:
        self._stripe.dashboard(action, made["provider_payment_id"], amount, outcome)


@pytest.fixture
def story(client: Client, sign_in: Callable[[Caller], Client], stripe: StripeSimulator) -> Story:
    return Story(sign_in(Caller(user_id="user_1")), stripe)


def work_off(environment: Environment, stripe: StripeSimulator) -> None:
    """Wait until all deliveries have come and all of their work is done, however long it takes."""
    assert stripe.webhooks.is_quiet(HANGS_AFTER_S)
    hangs_at = time.monotonic() + HANGS_AFTER_S
    while work_of_events(environment.queues["SyncQueue"]):
        assert time.monotonic() < hangs_at
        environment.worker.drain()
        time.sleep(0.1)


def work_of_events(url: str) -> list[Event]:
    """The queue's messages that events have caused: visible ones, and delayed checks of a burst.

    Without the status checks of a call with unknown outcome, which come 5 and 30 seconds after it:
    the tests show that webhooks do their work without them.
    """
    messages = sqs_backends[ACCOUNT][REGION].queues[url.rsplit("/", 1)[-1]]._messages
    bodies = [json.loads(each.body) for each in messages if each.visible]
    return [each for each in bodies if not (each.get("status_check") or {}).get("attempt")]


def money_calls(stripe: StripeSimulator) -> Counter[str]:
    """How often each call that changes something was sent to the provider."""
    return Counter(each.operation for each in stripe.requests if each.method == "POST")


HOW = {
    "each once": {},
    "each three times and in any order": {"duplicate": 2, "reorder": True, "seed": 7},
    "each twice, some never, and once more later": {
        "duplicate": 1,
        "drop": 0.3,
        "reorder": True,
        "seed": 11,
    },
}


@pytest.mark.parametrize("switches", HOW.values(), ids=HOW.keys())
def test_webhooks_alone_bring_every_payment_to_its_state(
    switches: dict[str, object],
    environment: Environment,
    story: Story,
    scan: Scan,
    stripe: StripeSimulator,
) -> None:
    """No client calls us, and no sweep runs."""
    stripe.webhooks.switch(**switches)
    story.play()
    calls_before = money_calls(stripe)
    work_off(environment, stripe)
    if "drop" in switches:  # the dropped events are sent again from the dashboard
        stripe.webhooks.switch(drop=0.0)
        stripe.webhooks.resend("all")
        work_off(environment, stripe)
    assert story.states() == EXPECTED
    assert money_calls(stripe) == calls_before, "an event moves no money"
    assert_converged([each for each in stored_payments(scan) if each.status != "created"], stripe)
    assert unfinished(environment.queues["SyncDeadLetters"]) == 0


@pytest.mark.parametrize(
    "how", [{"drop": 1.0}, *({"tamper": each} for each in ("sig", "body", "old_timestamp"))]
)
def test_sweep_and_reconciliation_bring_the_same_states_without_webhooks(
    how: dict[str, object],
    environment: Environment,
    story: Story,
    stripe: StripeSimulator,
    later: Callable[[float], None],
) -> None:
    stripe.webhooks.switch(**how)
    story.play()
    calls_before = money_calls(stripe)
    assert stripe.webhooks.is_quiet(HANGS_AFTER_S)
    later(120)
    for name in ("JobsSweepPayments", "JobsReconcilePayments", "JobsSweepPayments"):
        environment.gateway.functions.invoke(name, {})
    assert story.states() == EXPECTED
    assert money_calls(stripe) == calls_before


def test_event_log_brings_the_same_states_without_webhooks(
    environment: Environment,
    story: Story,
    stripe: StripeSimulator,
    later: Callable[[float], None],
) -> None:
    """No webhook comes, and no sweep runs."""
    stripe.webhooks.switch(drop=1.0)
    story.play()
    calls_before = money_calls(stripe)
    assert stripe.webhooks.is_quiet(HANGS_AFTER_S)
    later(180)
    assert environment.gateway.functions.invoke("JobsReadEventLog", {})["queued"] > 0
    work_off(environment, stripe)
    assert story.states() == EXPECTED
    assert money_calls(stripe) == calls_before


def test_events_are_sent_again_after_the_endpoint_was_down(
    environment: Environment,
    story: Story,
    stripe: StripeSimulator,
    setting: Callable[[str, str], None],
    later: Callable[[float], None],
) -> None:
    """While nothing can be queued the endpoint answers 503, and Stripe tries again."""
    setting("QUEUE_URL", environment.queues["SyncQueue"] + "-gone")
    story.play()
    assert stripe.webhooks.is_quiet(HANGS_AFTER_S)
    setting("QUEUE_URL", environment.queues["SyncQueue"])
    later(61)
    work_off(environment, stripe)
    assert story.states() == EXPECTED


class Wallet:
    """Saved methods that the bank or the dashboard changes. The keys of `methods` say how."""

    def __init__(self, user: Client, stripe: StripeSimulator) -> None:
        self._user, self._stripe = user, stripe
        self.methods: dict[str, Event] = {}

    def play(self) -> None:
        """Let everything happen."""
        self._save("left alone")
        self._act(self._save("renewed"), "renew")
        self._act(self._save("expired"), "expire")
        self._act(self._save("renewed in vain"), "expire", "renew")
        self._act(self._save("detached"), "detach")
        self._act(self._save("renewed and detached"), "renew", "detach")
        self._delete(self._save("deleted"))
        both = self._save("detached and deleted")
        self._act(both, "detach")
        self._delete(both)
        paid = self._user.ask("POST", f"{BASE}/payments/intents", MONEY | SAVING).json()
        self._user.ask("POST", f"{BASE}/payments/confirm/{paid['id']}", VISA)
        first = self._listed()[0]
        self.methods["saved by a payment"] = first
        self._act(first, "renew")

    def assert_as_at_the_provider(self) -> None:
        """The list has exactly the methods that the provider has for the customer, as they are."""
        there = {each.id: each for each in self._stripe.world.methods.values() if each.customer}
        listed = {each["provider_payment_method_id"]: each for each in self._listed()}
        assert listed.keys() == there.keys()
        for token, each in listed.items():
            method = there[token]
            card = (method.card.last4, method.exp_month, method.exp_year)
            assert (each["last4"], each["exp_month"], each["exp_year"]) == card
        names = {name for name, each in self.methods.items() if self._token(each) in listed}
        gone = {"detached", "renewed and detached", "deleted", "detached and deleted"}
        assert names == self.methods.keys() - gone
        assert [each["is_default"] for each in listed.values()].count(True) == 1

    def _save(self, name: str) -> Event:
        asked = {"provider_payment_method_id": "pm_card_visa"}
        made = self._user.ask("POST", f"{BASE}/payment-methods", asked).json()
        self.methods[name] = made
        return dict(made)

    def _act(self, made: Event, *actions: str) -> None:
        for each in actions:
            self._stripe.dashboard_method(each, self._token(made))

    def _delete(self, made: Event) -> None:
        assert self._user.ask("DELETE", f"{BASE}/payment-methods/{made['id']}").status == 204

    def _listed(self) -> list[Event]:
        return list(self._user.ask("GET", f"{BASE}/payment-methods?limit=100").json())

    @staticmethod
    def _token(made: Event) -> str:
        return str(made["provider_payment_method_id"])


SAVING = {"setup_future_usage": "off_session"}


def test_event_log_brings_every_saved_method_to_the_provider_state(
    environment: Environment,
    client: Client,
    sign_in: Callable[[Caller], Client],
    stripe: StripeSimulator,
    later: Callable[[float], None],
) -> None:
    wallet = Wallet(sign_in(Caller(user_id="user_1")), stripe)
    stripe.webhooks.switch(drop=1.0)
    wallet.play()
    assert stripe.webhooks.is_quiet(HANGS_AFTER_S)
    later(180)
    environment.gateway.functions.invoke("JobsReadEventLog", {})
    work_off(environment, stripe)
    environment.gateway.functions.invoke("JobsFinishDeletion", {})
    work_off(environment, stripe)
    wallet.assert_as_at_the_provider()


@pytest.mark.parametrize("switches", HOW.values(), ids=HOW.keys())
def test_webhooks_alone_bring_every_saved_method_to_the_provider_state(
    switches: dict[str, object],
    environment: Environment,
    client: Client,
    sign_in: Callable[[Caller], Client],
    stripe: StripeSimulator,
) -> None:
    """Also the events about our own attaching and deleting, which contain nothing new."""
    wallet = Wallet(sign_in(Caller(user_id="user_1")), stripe)
    stripe.webhooks.switch(**switches)
    wallet.play()
    calls_before = money_calls(stripe)
    work_off(environment, stripe)
    if "drop" in switches:
        stripe.webhooks.switch(drop=0.0)
        stripe.webhooks.resend("all")
        work_off(environment, stripe)
    assert money_calls(stripe) == calls_before, "an event only makes us ask"
    environment.gateway.functions.invoke("JobsFinishDeletion", {})
    work_off(environment, stripe)
    wallet.assert_as_at_the_provider()
    assert unfinished(environment.queues["SyncDeadLetters"]) == 0
