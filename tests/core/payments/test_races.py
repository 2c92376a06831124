"""Concurrent requests with real conditions: DynamoDB Local, 16 threads, one payment."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from bridge.bodies.payment import Confirmation, NewPayment, NewRefund, PaymentChange
from bridge.core.operations import payment_operator
from bridge.core.payments import change_payment, create_payment, read_payments
from bridge.core.workers import sweep
from bridge.errors import Conflict, TemporarilyUnavailable
from bridge.models.page import Page
from bridge.models.payment import Payment, PaymentResult
from bridge.store.payments import payment_items
from local.stripe.simulator import StripeSimulator
from tests.conftest import USER, run_context, sweep_run, together

pytestmark = [
    pytest.mark.race,
    pytest.mark.usefixtures("dynamodb_local", "tables", "stripe_simulator"),
]
THREADS = 16
VISA = Confirmation(payment_method_id="pm_card_visa")
NEW = NewPayment(total_cents=2000, currency="USD")


def created() -> Payment:
    return create_payment.create_payment_intent(USER, NEW, run_context()).payment


def outcome(result: Any) -> str:
    if isinstance(result, PaymentResult):
        return "202" if result.retry_after else "200"
    assert isinstance(result, Conflict), result
    return result.code


def assert_charged_once(payment_id: str, stripe: StripeSimulator) -> None:
    payment = payment_items.get(payment_id)
    assert payment
    assert payment.status == "succeeded"
    assert payment.active_attempt is None
    assert len(stripe.charges()) == 1
    assert payment_operator.inspect_payment(payment_id).timeline_is_whole


@pytest.mark.parametrize("key", [None, "one-key", "key-{}"], ids=["none", "one", "each its own"])
def test_concurrent_equal_confirms_charge_once(
    key: str | None, stripe_simulator: StripeSimulator
) -> None:
    payment = created()
    results = together(
        THREADS,
        lambda number: change_payment.confirm(
            USER, payment.id, VISA, run_context(key and key.format(number))
        ),
    )
    assert set(map(outcome, results)) <= {"200", "202"}
    assert_charged_once(payment.id, stripe_simulator)


def test_concurrent_confirms_with_different_cards_charge_once(
    stripe_simulator: StripeSimulator,
) -> None:
    payment = created()
    cards = ["pm_card_visa", "pm_card_mastercard"]
    results = together(
        THREADS,
        lambda number: change_payment.confirm(
            USER, payment.id, Confirmation(payment_method_id=cards[number % 2]), run_context()
        ),
    )
    assert set(map(outcome, results)) <= {"200", "202", "payment_in_progress"}
    assert_charged_once(payment.id, stripe_simulator)


def test_concurrent_creations_with_one_key_make_one_payment(
    stripe_simulator: StripeSimulator,
) -> None:
    results = together(
        THREADS, lambda _: create_payment.create_payment_intent(USER, NEW, run_context("k"))
    )
    ids = {result.payment.id for result in results}
    assert len(ids) == 1
    assert len(stripe_simulator.intents()) == 1
    assert len(read_payments.list_payments(USER, Page())) == 1


def test_concurrent_first_payments_of_a_user_share_one_customer(
    stripe_simulator: StripeSimulator,
) -> None:
    results = together(
        THREADS, lambda _: create_payment.create_payment_intent(USER, NEW, run_context())
    )
    assert len({result.payment.customer_id for result in results}) == 1
    assert len(read_payments.list_payments(USER, Page())) == THREADS


def test_concurrent_updates_confirms_and_syncs_agree_with_the_provider(
    stripe_simulator: StripeSimulator, later: Callable[[float], None]
) -> None:
    payment = created()

    def act(number: int) -> object:
        match number % 4:
            case 0:
                return change_payment.confirm(USER, payment.id, VISA, run_context())
            case 1:
                change = PaymentChange(total_cents=3000 + number)
                return change_payment.update(USER, payment.id, change, run_context())
            case 2:
                return change_payment.sync(USER, payment.id, run_context())
            case _:
                return change_payment.update(
                    USER, payment.id, PaymentChange(description=str(number)), run_context()
                )

    results = together(THREADS, act)
    codes = Counter(type(each).__name__ for each in results)
    assert set(codes) <= {"PaymentResult", "Payment", "Conflict", "TemporarilyUnavailable"}, results
    for _ in range(4):
        later(60)
        sweep.sweep(sweep_run())
    assert len(stripe_simulator.charges()) <= 1
    found = payment_items.get(payment.id)
    assert found
    intent = stripe_simulator.intents()[0]
    assert found.total_cents == intent["amount"]
    assert found.active_attempt is None
    assert payment_operator.inspect_payment(payment.id).timeline_is_whole


def test_concurrent_sweeps_end_an_attempt_once(
    stripe_simulator: StripeSimulator, later: Callable[[float], None]
) -> None:
    payment = created()
    stripe_simulator.fault("confirm", "drop_after")
    change_payment.confirm(USER, payment.id, VISA, run_context())
    later(100)
    together(4, lambda _: sweep.sweep(sweep_run()))
    assert_charged_once(payment.id, stripe_simulator)
    ended = [entry for entry in payment_items.timeline(payment.id) if entry.operation == "confirm"]
    assert len(ended) == 1


def test_fifty_concurrent_partial_refunds_never_exceed_the_captured_amount(
    stripe_simulator: StripeSimulator, later: Callable[[float], None]
) -> None:
    payment = change_payment.confirm(USER, created().id, VISA, run_context()).payment
    amounts = range(90, 140)

    def refund(number: int) -> PaymentResult:
        asked = NewRefund(amount_cents=amounts[number])
        return change_payment.refund(USER, payment.id, asked, run_context(f"refund-{number}"))

    def given_back() -> int:
        return sum(each.amount for each in stripe_simulator.world.refunds.values())

    results = together(50, refund)
    assert {type(each) for each in results} <= {PaymentResult, Conflict, TemporarilyUnavailable}
    assert given_back() <= 2000
    for number in range(50):
        with suppress(Conflict):  # when too little is left for it
            refund(number)
    later(100)
    sweep.sweep(sweep_run())
    found = payment_items.get(payment.id)
    assert found
    assert 2000 - max(amounts) < given_back() <= 2000
    assert found.refunded_cents == given_back()
    assert payment_operator.inspect_payment(payment.id).timeline_is_whole
