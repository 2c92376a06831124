"""jobs/read_event_log, every hour. Source: docs/payment-correctness.md, section 8."""

from collections.abc import Callable
from typing import Any

import pytest

from bridge.errors import ProviderRejectedUs
from functions.jobs.read_event_log.handler import handler
from local.functions import Context
from local.stripe.simulator import StripeSimulator
from tests.conftest import Environment
from tests.functions.conftest import Api

Operate = Callable[..., dict[str, Any]]
Later = Callable[[float], None]
NAME = "jobs/read_event_log"
NOTHING = {"listed": 0, "queued": 0, "is_whole": True}


def paid_in_the_browser(api: Api, simulator: StripeSimulator) -> dict[str, Any]:
    made = api.payment()
    intent, secret = made["provider_payment_id"], made["client_secret"]
    simulator.browser_confirm(intent, secret, "pm_card_visa")
    return made


def test_event_file_finds_no_event(
    environment: Environment, tables: None, stripe_simulator: StripeSimulator, operate: Operate
) -> None:
    assert operate(handler, NAME) == NOTHING


def test_payment_whose_webhooks_were_lost_is_brought_to_its_state(
    api: Api,
    operate: Operate,
    later: Later,
    environment: Environment,
    stripe_simulator: StripeSimulator,
) -> None:
    made = paid_in_the_browser(api, stripe_simulator)
    later(180)
    assert operate(handler, NAME)["queued"] > 0
    environment.worker.drain()
    assert api.get(f"/payments/{made['id']}").body["status"] == "succeeded"


def test_key_without_the_right_to_read_events_fails_the_run(
    tables: None,
    stripe_simulator: StripeSimulator,
    event: Callable[[str], dict[str, Any]],
    context: Callable[[str], Context],
) -> None:
    stripe_simulator.fault("list_events", "403", times=2)
    with pytest.raises(ProviderRejectedUs):
        handler(event(NAME), context("JobsReadEventLog"))
