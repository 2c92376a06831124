"""What the tests of payments share: a payment that was created, what is stored, the sweep."""

from collections.abc import Callable

import pytest

from bridge import clock
from bridge.bodies.payment import Confirmation, NewPayment
from bridge.core.operations import payment_operator
from bridge.core.payments import create_payment
from bridge.core.workers import sweep
from bridge.models.payment import Payment
from bridge.store.payments import payment_items
from tests.conftest import USER, run_context, sweep_run

VISA = Confirmation(payment_method_id="pm_card_visa")
CRASH_POINTS = ["locking", "locked", "answered", "committing", "committed"]
Later = Callable[[float], None]


@pytest.fixture
def stopped_clock(monkeypatch: pytest.MonkeyPatch, later: Later) -> pytest.MonkeyPatch:
    """Everything happens within one second, until the fixture is undone."""
    later(100)
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)
    monkeypatch.setattr(clock, "seconds", lambda: int(now.timestamp()))
    return monkeypatch


def created(**more: object) -> Payment:
    new = NewPayment.model_validate({"total_cents": 2000, "currency": "USD"} | more)
    return create_payment.create_payment_intent(USER, new, run_context()).payment


def stored(payment_id: str) -> Payment:
    payment = payment_items.get(payment_id)
    assert payment
    return payment


def logged(caplog: pytest.LogCaptureFixture, message: str) -> list[str]:
    """The payments that the log lines with this message name."""
    return [vars(each)["payment_id"] for each in caplog.records if each.getMessage() == message]


def sweep_each_minute(later: Later, minutes: int = 10) -> None:
    for _ in range(minutes):
        later(60)
        sweep.sweep(sweep_run())


def assert_settled(payment_id: str) -> None:
    """No lock is left, and the timeline is an unbroken chain up to the row."""
    assert stored(payment_id).active_attempt is None
    assert payment_operator.inspect_payment(payment_id).timeline_is_whole
