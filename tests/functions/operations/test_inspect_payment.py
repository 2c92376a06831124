"""operations/inspect_payment: what an operator sees of a payment."""

from collections.abc import Callable
from typing import Any

import pytest

from functions.operations.inspect_payment.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import GUEST, VISA, Api

Operate = Callable[..., dict[str, Any]]
NAME = "operations/inspect_payment"


def test_event_file_shows_the_payment_and_its_timeline(
    demo_data: StripeSimulator, operate: Operate
) -> None:
    seen = operate(handler, NAME)
    assert seen["ok"] is True
    assert seen["payment"]["id"] == "pay_123"
    assert (seen["displayed_status"], seen["is_locked"], seen["is_stuck"]) == (
        "succeeded",
        False,
        False,
    )
    assert (seen["timeline_is_whole"], seen["overdue_seconds"]) == (True, 0)
    entries = [
        (each["from_status"], each["to_status"], each["operation"]) for each in seen["timeline"]
    ]
    assert entries == [("new", "created", "create"), ("created", "succeeded", "confirm")]


def test_inspect_shows_active_attempt_and_overdue_seconds(
    api: Api,
    stripe_simulator: StripeSimulator,
    operate: Operate,
    later: Callable[[float], None],
) -> None:
    made = api.payment()
    stripe_simulator.fault("confirm", "drop_after")
    api.confirm(made, VISA)
    seen = operate(handler, NAME, payment_id=made["id"])
    assert (seen["is_locked"], seen["lease_over"]) == (True, False)
    assert (seen["displayed_status"], seen["payment"]["status"]) == ("processing", "created")
    attempt = seen["payment"]["active_attempt"]
    assert (attempt["number"], attempt["operation"]) == (2, "confirm")
    later(1000)
    seen = operate(handler, NAME, payment_id=made["id"])
    assert (seen["lease_over"], seen["is_stuck"]) == (True, True)
    assert seen["overdue_seconds"] > 900


def test_inspect_shows_no_personal_data_and_no_secret(
    guest: Api, stripe_simulator: StripeSimulator, operate: Operate
) -> None:
    stripe_simulator.fault("create_payment", "drop_after", times=2)
    private = {"description": "private words", "metadata": {"note": "private note"}}
    asked = {"total_cents": 2000, "currency": "USD", "guest_data": GUEST, **private, **VISA}
    locked = guest.post("/payments/intents", asked).body
    done = guest.payment(guest_data=GUEST, **private)
    for payment in (locked, done):
        seen = str(operate(handler, NAME, payment_id=payment["id"]))
        for hidden in ("private", *GUEST.values(), "_secret_"):
            assert hidden not in seen


@pytest.mark.parametrize("identifier", ["pay_404", "pi_1", "\x00", "x" * 300])
def test_unknown_payment_returns_not_found(api: Api, operate: Operate, identifier: str) -> None:
    result = operate(handler, NAME, payment_id=identifier)
    assert (result["ok"], result["code"]) == (False, "not_found")


@pytest.mark.parametrize("wrong", [None, "", 5])
def test_event_without_payment_id_returns_validation_failed(
    api: Api, operate: Operate, wrong: object
) -> None:
    result = operate(handler, NAME, payment_id=wrong)
    assert (result["ok"], result["code"]) == (False, "validation_failed")
