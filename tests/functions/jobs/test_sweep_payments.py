"""jobs/sweep_payments, every minute. Source: docs/payment-correctness.md, section 8."""

from collections.abc import Callable
from typing import Any

from functions.jobs.sweep_payments.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import VISA, Api

Operate = Callable[..., dict[str, Any]]
Later = Callable[[float], None]
NAME = "jobs/sweep_payments"
DAY = 24 * 3600


def test_event_file_without_due_payments_does_nothing(
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


def test_sweep_finds_the_outcome_of_lost_responses(
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


def test_failed_payment_check_does_not_stop_the_others(
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


def test_sweep_reports_oldest_due_seconds_and_stuck_attempts(
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


def test_unpaid_payment_is_canceled_after_abandon_days(
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


def test_deletion_job_in_the_index_is_not_handled_by_the_sweep(
    api: Api, operate: Operate, later: Later
) -> None:
    api.delete(f"/customers/{api.customer()['id']}")
    later(60)
    assert operate(handler, NAME)["checked"] == 0
