"""Events whose webhook never came, from the provider's log.

Source: docs/payment-correctness.md, section 8.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from bridge.bodies.payment import NewPayment
from bridge.core.payments import create_payment
from bridge.core.workers import event_log, queue_messages
from bridge.errors import ProviderRejectedUs, TemporarilyUnavailable
from bridge.models.payment import Payment
from bridge.models.provider_walk import ProviderWalk
from bridge.providers import registry
from bridge.store.dedupe import webhook_items
from bridge.store.jobs import provider_walk_items
from bridge.store.payments import payment_items
from local import queues
from local.stripe.simulator import StripeSimulator
from tests.conftest import USER, Environment, run_context
from tests.stripe_events import waiting

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")
Later = Callable[[float], None]
Queue = Callable[[], list[dict[str, Any]]]
DAY = 24 * 3600


def opened() -> Payment:
    new = NewPayment(total_cents=2000, currency="USD")
    return create_payment.create_payment_intent(USER, new, run_context()).payment


def paid_in_the_browser(simulator: StripeSimulator) -> Payment:
    payment = opened()
    intent = str(payment.provider_payment_id)
    secret = simulator.world.intents[intent].client_secret
    simulator.browser_confirm(intent, secret, "pm_card_visa")
    return payment


def read(seconds: float = 900) -> event_log.EventLogRead:
    return event_log.read(run_context(seconds=seconds))


def walk() -> ProviderWalk:
    found = provider_walk_items.get("stripe", "events")
    assert found
    return found


@pytest.fixture
def queue(environment: Environment) -> Queue:
    """The queued messages. They stay in the queue."""
    return lambda: waiting(environment.queues["SyncQueue"])


@pytest.fixture
def work(queue: Queue, later: Later) -> Callable[[], None]:
    """Handle every queued message, a second apart, and empty the queue."""

    def handle_all() -> None:
        for body in queue():
            queue_messages.handle(queue_messages.read(body), run_context())
            later(1)
        queues.clear()

    return handle_all


@pytest.fixture
def metrics(
    capsys: pytest.CaptureFixture[str], setting: Callable[[str, str], None]
) -> Callable[[str], list[float]]:
    """The values of a metric since the last call."""
    setting("POWERTOOLS_METRICS_DISABLED", "false")

    def values(name: str) -> list[float]:
        lines = [line for line in capsys.readouterr().out.splitlines() if "_aws" in line]
        return [value for line in lines for value in json.loads(line).get(name, [])]

    return values


def test_event_without_webhook_is_queued_and_the_worker_finds_the_payment(
    stripe_simulator: StripeSimulator, later: Later, work: Callable[[], None]
) -> None:
    payment = paid_in_the_browser(stripe_simulator)
    later(180)
    done = read()
    assert (done.queued, done.is_whole) == (done.listed, True)
    work()
    found = payment_items.get(payment.id)
    assert found
    assert found.status == "succeeded"


def test_queued_messages_are_those_of_the_webhooks(
    stripe_simulator: StripeSimulator, later: Later, queue: Queue
) -> None:
    payment = paid_in_the_browser(stripe_simulator)
    later(180)
    read()
    references = [each["event_reference"] for each in queue()]
    (succeeded,) = [each for each in references if each["type"] == "payment_intent.succeeded"]
    assert succeeded["payment_id"] == payment.id
    assert succeeded["event_id"] in stripe_simulator.world.events


def test_events_that_were_handled_are_not_queued_again(
    stripe_simulator: StripeSimulator,
    later: Later,
    work: Callable[[], None],
    metrics: Callable[[str], list[float]],
) -> None:
    paid_in_the_browser(stripe_simulator)
    later(180)
    missed = read().queued
    assert metrics("events_missed") == [missed]
    work()
    again = read()
    assert (again.listed, again.queued) == (missed, 0)
    assert metrics("events_missed") == []


def test_foreign_events_end_as_unmatched_and_are_known_then(
    stripe_simulator: StripeSimulator, later: Later, work: Callable[[], None]
) -> None:
    stripe_simulator.seed_payment("pi_of_another_system", amount=700, currency="eur")
    stripe_simulator.dashboard("cancel", "pi_of_another_system")
    later(180)
    assert read().queued > 0
    work()
    assert read().queued == 0


def test_younger_events_are_left_to_their_webhooks(
    stripe_simulator: StripeSimulator, later: Later
) -> None:
    paid_in_the_browser(stripe_simulator)
    assert read().listed == 0
    later(180)
    assert read().listed > 0


def test_events_of_saved_methods_are_read_too(
    stripe_simulator: StripeSimulator, later: Later, queue: Queue
) -> None:
    stripe_simulator.seed_customer("cus_there")
    stripe_simulator.seed_method("pm_there", "cus_there")
    stripe_simulator.dashboard_method("renew", "pm_there")
    later(180)
    read()
    tokens = [each["method_event_reference"]["token"] for each in queue()]
    assert set(tokens) == {"pm_there"}


def test_windows_overlap_by_an_hour(later: Later) -> None:
    read()
    first = walk()
    later(3600)
    read()
    assert walk().since == first.until - event_log.OVERLAP


def test_all_events_are_found_after_a_day_without_a_run(
    stripe_simulator: StripeSimulator, later: Later
) -> None:
    read()
    later(1800)
    paid_in_the_browser(stripe_simulator)
    later(DAY)
    assert read().queued > 0


def test_longer_pause_than_the_provider_keeps_events_is_counted(
    later: Later, metrics: Callable[[str], list[float]]
) -> None:
    read()
    later(29 * DAY)
    read()
    assert metrics("event_log_gap") == []
    later(31 * DAY)
    read()
    assert metrics("event_log_gap") == [1]
    read()
    assert metrics("event_log_gap") == []


def test_key_without_the_right_to_read_events_fails_the_run(
    stripe_simulator: StripeSimulator, later: Later
) -> None:
    """And its window is read once the key has the right."""
    paid_in_the_browser(stripe_simulator)
    stripe_simulator.fault("list_events", "403", times=2)
    with pytest.raises(ProviderRejectedUs):
        read()
    later(3 * DAY)
    assert read().queued > 0


def test_run_fails_if_an_event_cannot_be_queued_and_the_next_one_queues_it(
    stripe_simulator: StripeSimulator,
    later: Later,
    environment: Environment,
    setting: Callable[[str, str], None],
) -> None:
    paid_in_the_browser(stripe_simulator)
    later(180)
    setting("QUEUE_URL", environment.queues["SyncQueue"] + "-gone")
    with pytest.raises(TemporarilyUnavailable):
        read()
    setting("QUEUE_URL", environment.queues["SyncQueue"])
    assert read().queued > 0


def test_run_without_time_left_reports_that_it_is_not_whole() -> None:
    assert not read(seconds=14).is_whole


def test_event_stays_marked_as_long_as_the_provider_lists_it() -> None:
    """The mark is made after the event, so none is handled a second time."""
    for provider_id in registry.OPEN:
        assert registry.open_provider(provider_id).events_kept_s <= webhook_items.LIFE_S
