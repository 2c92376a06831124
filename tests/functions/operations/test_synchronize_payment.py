"""operations/synchronize_payment: an operator brings one payment to the provider's truth."""

from collections.abc import Callable
from typing import Any

from functions.operations.synchronize_payment.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import VISA, Api

Operate = Callable[..., dict[str, Any]]
NAME = "operations/synchronize_payment"


def test_the_event_file_asks_the_provider_and_shows_the_payment(
    demo_data: StripeSimulator, operate: Operate
) -> None:
    before = demo_data.log.counts["fetch"]
    seen = operate(handler, NAME)
    assert (seen["ok"], seen["payment"]["id"]) == (True, "pay_123")
    assert (seen["displayed_status"], seen["timeline_is_whole"]) == ("succeeded", True)
    assert demo_data.log.counts["fetch"] == before + 1


def test_what_was_lost_is_found_and_its_cause_is_told(
    api: Api, stripe_simulator: StripeSimulator, operate: Operate
) -> None:
    made = api.payment()
    stripe_simulator.fault("confirm", "drop_after")
    api.confirm(made, VISA)
    seen = operate(handler, NAME, payment_id=made["id"])
    assert (seen["displayed_status"], seen["is_locked"]) == ("succeeded", False)
    last = seen["timeline"][-1]
    assert (last["cause"], last["operation"], last["outcome"]) == (
        "reconciliation",
        "confirm",
        "done",
    )
    assert len(stripe_simulator.charges()) == 1


def test_a_provider_in_trouble_is_told_and_nothing_changes(
    api: Api, stripe_simulator: StripeSimulator, operate: Operate
) -> None:
    made = api.payment()
    stripe_simulator.fault("fetch", "500_before", times=2)
    answer = operate(handler, NAME, payment_id=made["id"])
    assert (answer["ok"], answer["code"]) == (False, "provider_timeout")
    assert api.get(f"/payments/{made['id']}").body == made


def test_what_is_not_there_is_told(api: Api, operate: Operate) -> None:
    assert operate(handler, NAME, payment_id="pay_404")["code"] == "not_found"
