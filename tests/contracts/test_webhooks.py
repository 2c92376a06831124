"""Stripe's own deliveries over HTTP, good and bad: whatever comes, all ends in the same states.

Source: design/convergence.md, section 7 and rule 8.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from bridge import config
from bridge.models.caller import Caller
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
def ringing(
    environment: Environment, stripe_simulator: StripeSimulator
) -> Iterator[StripeSimulator]:
    """The simulator, whose events go to a gateway with a socket."""
    server = Server(0, environment.gateway.handle)
    server.start()
    secret = config.secret("STRIPE_WEBHOOK_SECRET")
    stripe_simulator.webhooks.point(server.url + TARGET, [secret])
    yield stripe_simulator
    stripe_simulator.webhooks.point("", [])
    stripe_simulator.reset()
    server.stop()


class Story:
    """Payments that live through everything, by what happens to them."""

    def __init__(self, user: Client, stripe: StripeSimulator) -> None:
        self._user, self._stripe = user, stripe
        self.payments: dict[str, Event] = {}

    def tell(self) -> None:
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
        held = self._order("captured at the dashboard", capture_method="manual")
        self._confirm(held)
        self._dashboard(held, "capture")
        self._order("left alone")

    def states(self) -> States:
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
        with suppress(StripeError):  # a decline is the browser's to show
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
def story(client: Client, sign_in: Callable[[Caller], Client], ringing: StripeSimulator) -> Story:
    return Story(sign_in(Caller(user_id="user_1")), ringing)


def work_off(environment: Environment, stripe: StripeSimulator) -> None:
    """Until no delivery is under way and the queue is empty, put-off looks of a burst included;
    those of an unknown outcome may still wait."""
    assert stripe.webhooks.is_quiet(30)
    until = time.monotonic() + 3
    while unfinished(environment.queues["SyncQueue"]) and time.monotonic() < until:
        environment.worker.drain()
        time.sleep(0.1)


def money_calls(stripe: StripeSimulator) -> Counter[str]:
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
    ringing: StripeSimulator,
) -> None:
    """Nobody asks for anything, and no sweep runs."""
    ringing.webhooks.switch(**switches)
    story.tell()
    told = money_calls(ringing)
    work_off(environment, ringing)
    if "drop" in switches:  # somebody resends them at the dashboard
        ringing.webhooks.switch(drop=0.0)
        ringing.webhooks.resend("all")
        work_off(environment, ringing)
    assert story.states() == EXPECTED
    assert money_calls(ringing) == told, "an event moves no money"
    assert_converged([each for each in stored_payments(scan) if each.status != "created"], ringing)
    assert unfinished(environment.queues["SyncDeadLetters"]) == 0


@pytest.mark.parametrize(
    "how", [{"drop": 1.0}, *({"tamper": each} for each in ("sig", "body", "old_timestamp"))]
)
def test_without_any_webhook_sweep_and_reconciliation_bring_the_same_states(
    how: dict[str, object],
    environment: Environment,
    story: Story,
    ringing: StripeSimulator,
    later: Callable[[float], None],
) -> None:
    ringing.webhooks.switch(**how)
    story.tell()
    told = money_calls(ringing)
    assert ringing.webhooks.is_quiet(30)
    later(120)
    for name in ("JobsSweepPayments", "JobsReconcilePayments", "JobsSweepPayments"):
        environment.gateway.functions.invoke(name, {})
    assert story.states() == EXPECTED
    assert money_calls(ringing) == told


def test_an_endpoint_that_was_down_is_sent_everything_later(
    environment: Environment,
    story: Story,
    ringing: StripeSimulator,
    setting: Callable[[str, str], None],
    later: Callable[[float], None],
) -> None:
    """503, while nothing can be queued: Stripe tries again."""
    setting("QUEUE_URL", environment.queues["SyncQueue"] + "-gone")
    story.tell()
    assert ringing.webhooks.is_quiet(30)
    setting("QUEUE_URL", environment.queues["SyncQueue"])
    later(61)
    work_off(environment, ringing)
    assert story.states() == EXPECTED


# --- saved methods ------------------------------------------------------------------------------


class Wallet:
    """Saved methods that a bank and somebody at the dashboard change, by what happens to them."""

    def __init__(self, user: Client, stripe: StripeSimulator) -> None:
        self._user, self._stripe = user, stripe
        self.methods: dict[str, Event] = {}

    def tell(self) -> None:
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
        paid = self._user.ask("POST", f"{BASE}/payments/intents", MONEY | SAVED).json()
        self._user.ask("POST", f"{BASE}/payments/confirm/{paid['id']}", VISA)
        first = self._listed()[0]
        self.methods["saved by a payment"] = first
        self._act(first, "renew")

    def assert_true(self) -> None:
        """Every method that its customer still has there is listed with the card that is there."""
        there = {each.id: each for each in self._stripe.world.methods.values() if each.customer}
        listed = {each["provider_payment_method_id"]: each for each in self._listed()}
        assert listed.keys() == there.keys()
        for token, each in listed.items():
            held = there[token]
            card = (held.card.last4, held.exp_month, held.exp_year)
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


SAVED = {"setup_future_usage": "off_session"}


@pytest.mark.parametrize("switches", HOW.values(), ids=HOW.keys())
def test_webhooks_alone_bring_every_saved_method_to_what_the_provider_has(
    switches: dict[str, object],
    environment: Environment,
    client: Client,
    sign_in: Callable[[Caller], Client],
    ringing: StripeSimulator,
) -> None:
    """Also those of our own attaching and deleting, which tell us nothing new."""
    wallet = Wallet(sign_in(Caller(user_id="user_1")), ringing)
    ringing.webhooks.switch(**switches)
    wallet.tell()
    told = money_calls(ringing)
    work_off(environment, ringing)
    if "drop" in switches:
        ringing.webhooks.switch(drop=0.0)
        ringing.webhooks.resend("all")
        work_off(environment, ringing)
    assert money_calls(ringing) == told, "an event only asks"
    environment.gateway.functions.invoke("JobsFinishDeletion", {})
    work_off(environment, ringing)
    wallet.assert_true()
    assert unfinished(environment.queues["SyncDeadLetters"]) == 0
