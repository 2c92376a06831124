"""jobs/sweep_payments, every minute. Source: design/convergence.md, section 8."""

from collections.abc import Callable
from typing import Any

from functions.jobs.sweep_payments.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import VISA, Api

Operate = Callable[..., dict[str, Any]]
Later = Callable[[float], None]
NAME = "jobs/sweep_payments"
DAY = 24 * 3600


def test_the_event_file_finds_nothing_to_do_once_all_is_quiet(
    demo_data: StripeSimulator, operate: Operate
) -> None:
    assert operate(handler, NAME) == {
        "checked": 0,
        "failed": 0,
        "left": 0,
        "events": 0,
        "oldest_due_seconds": 0,
        "stuck_attempts": 0,
    }


def test_what_was_lost_is_found(
    api: Api, stripe_simulator: StripeSimulator, operate: Operate, later: Later
) -> None:
    lost = [api.payment() for _ in range(3)]
    for each in lost:
        stripe_simulator.fault("confirm", "drop_after")
        assert api.confirm(each, VISA).status == 202
    later(60)
    assert operate(handler, NAME)["checked"] == 3
    assert {each["status"] for each in api.get("/payments").body} == {"succeeded"}
    assert operate(handler, NAME)["checked"] == 0


def test_one_that_fails_leaves_the_others_alone(
    api: Api, stripe_simulator: StripeSimulator, operate: Operate, later: Later
) -> None:
    first, second = api.payment(), api.payment()
    for each in (first, second):
        intent, secret = each["provider_payment_id"], each["client_secret"]
        stripe_simulator.browser_confirm(intent, secret, "pm_card_visa")
    path = f"/v1/payment_intents/{first['provider_payment_id']}"
    stripe_simulator.fault("", "500_before", times=2, path=path)
    later(120)
    swept = operate(handler, NAME)
    assert (swept["checked"], swept["failed"]) == (2, 1)
    assert api.get(f"/payments/{first['id']}").body["status"] == "created"
    assert api.get(f"/payments/{second['id']}").body["status"] == "succeeded"
    later(3600)
    operate(handler, NAME)
    assert api.get(f"/payments/{first['id']}").body["status"] == "succeeded"


def test_how_late_the_oldest_is_and_what_is_stuck_are_counted(
    api: Api, stripe_simulator: StripeSimulator, operate: Operate, later: Later
) -> None:
    made = api.payment()
    stripe_simulator.fault("confirm", "drop_before")
    api.confirm(made, VISA)
    later(2000)
    swept = operate(handler, NAME)
    assert 1900 < swept["oldest_due_seconds"] <= 2000
    assert swept["stuck_attempts"] == 1
    assert api.get(f"/payments/{made['id']}").body["failure_code"] == "not_sent"


def test_what_nobody_pays_is_canceled_after_the_days_that_are_set(
    api: Api,
    operate: Operate,
    later: Later,
    setting: Callable[[str, str], None],
) -> None:
    setting("ABANDON_DAYS", "2")
    made = api.payment()
    later(2 * DAY - 60)
    operate(handler, NAME)
    assert api.get(f"/payments/{made['id']}").body["status"] == "created"
    later(DAY)
    operate(handler, NAME)
    assert api.get(f"/payments/{made['id']}").body["status"] == "canceled"


def test_a_customers_deletion_in_the_same_index_is_left_to_its_own_job(
    api: Api, operate: Operate, later: Later
) -> None:
    api.delete(f"/customers/{api.customer()['id']}")
    later(60)
    assert operate(handler, NAME)["checked"] == 0
