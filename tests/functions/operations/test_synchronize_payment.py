"""operations/synchronize_payment: an operator saves the provider's state of one payment."""

from collections.abc import Callable
from typing import Any

from functions.operations.synchronize_payment.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import VISA, Api

Operate = Callable[..., dict[str, Any]]
NAME = "operations/synchronize_payment"


def test_event_file_asks_the_provider_and_shows_the_payment(
    demo_data: StripeSimulator, operate: Operate
) -> None:
    before = demo_data.log.counts["fetch"]
    seen = operate(handler, NAME)
    assert (seen["ok"], seen["payment"]["id"]) == (True, "pay_123")
    assert (seen["displayed_status"], seen["timeline_is_whole"]) == ("succeeded", True)
    assert demo_data.log.counts["fetch"] == before + 1


def test_synchronize_finds_lost_outcome_with_cause_reconciliation(
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


def test_failing_provider_returns_provider_timeout_and_changes_nothing(
    api: Api, stripe_simulator: StripeSimulator, operate: Operate
) -> None:
    made = api.payment()
    stripe_simulator.fault("fetch", "500_before", times=2)
    result = operate(handler, NAME, payment_id=made["id"])
    assert (result["ok"], result["code"]) == (False, "provider_timeout")
    assert api.get(f"/payments/{made['id']}").body == made


def test_unknown_payment_returns_not_found(api: Api, operate: Operate) -> None:
    assert operate(handler, NAME, payment_id="pay_404")["code"] == "not_found"
