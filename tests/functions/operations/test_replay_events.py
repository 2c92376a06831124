"""operations/replay_events: deliver again, from a sequence number on."""

from collections.abc import Callable
from typing import Any

import pytest

from bridge.store.payments import outbox_items
from functions.operations.replay_events.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.conftest import Crash, Killed
from tests.functions.conftest import VISA, Api

Operate = Callable[..., dict[str, Any]]
Subscriber = Callable[[], list[dict[str, Any]]]
NAME = "operations/replay_events"


def sequences(subscriber: Subscriber) -> list[int]:
    return [each["detail"]["seq"] for each in subscriber()]


@pytest.fixture
def paid(api: Api) -> str:
    """A payment with two entries."""
    made = api.payment()
    api.confirm(made, VISA)
    return str(made["id"])


def test_event_file_delivers_all_events_again(
    demo_data: StripeSimulator, subscriber: Subscriber, operate: Operate
) -> None:
    for _ in range(2):
        result = operate(handler, NAME)
        assert result == {"ok": True, "events": 2, "deferred": 0, "retries_exhausted": 0, "left": 0}
    assert sequences(subscriber) == [1, 2, 1, 2]


def test_replay_begins_at_the_given_sequence(
    paid: str, subscriber: Subscriber, operate: Operate
) -> None:
    operate(handler, NAME, payment_id=paid)
    assert operate(handler, NAME, payment_id=paid, from_sequence=2)["events"] == 1
    assert sequences(subscriber) == [1, 2, 2]
    assert outbox_items.get_cursor(paid).sent == 2


def test_replay_does_not_skip_undelivered_events(
    paid: str, subscriber: Subscriber, operate: Operate
) -> None:
    operate(handler, NAME, payment_id=paid, from_sequence=2)
    assert sequences(subscriber) == [1, 2]


def test_replay_that_was_killed_is_due_now(
    paid: str, subscriber: Subscriber, operate: Operate, crash: Crash
) -> None:
    operate(handler, NAME, payment_id=paid)
    crash.at = "rewound"
    with pytest.raises(Killed):
        operate(handler, NAME, payment_id=paid)
    left = outbox_items.get_cursor(paid)
    assert (left.sent, left.due_at is not None) == (0, True)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"payment_id": "pay_404"}, "not_found"),
        ({"payment_id": "P#1"}, "not_found"),
        ({"payment_id": None}, "validation_failed"),
        ({"from_sequence": 0}, "validation_failed"),
        ({"from_sequence": 3}, "validation_failed"),
        ({"from_sequence": "1"}, "validation_failed"),
        ({"from_sequence": None}, "validation_failed"),
    ],
)
def test_invalid_replay_is_refused_and_moves_nothing(
    paid: str, subscriber: Subscriber, operate: Operate, wrong: dict[str, Any], code: str
) -> None:
    result = operate(handler, NAME, **{"payment_id": paid} | wrong)
    assert (result["ok"], result["code"]) == (False, code)
    assert (subscriber(), outbox_items.get_cursor(paid).version) == ([], 0)
