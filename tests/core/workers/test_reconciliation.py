"""The daily comparison with the provider. Source: docs/payment-correctness.md, section 8."""

from collections.abc import Callable
from contextlib import ExitStack

import pytest

from bridge import clock
from bridge.bodies.payment import Confirmation, NewPayment
from bridge.core.payments import change_payment, create_payment
from bridge.core.workers import reconciliation
from bridge.errors import UnknownOutcome
from bridge.models.payment import Payment
from bridge.store import dynamodb
from bridge.store.payments import payment_items
from local.stripe.simulator import StripeSimulator
from tests.conftest import USER, run_context
from tests.store.conftest import Wire

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")
VISA = Confirmation(payment_method_id="pm_card_visa")


def paid() -> Payment:
    new = NewPayment(total_cents=2000, currency="USD")
    payment = create_payment.create_payment_intent(USER, new, run_context()).payment
    return change_payment.confirm(USER, payment.id, VISA, run_context()).payment


def stored(payment: Payment) -> Payment:
    found = payment_items.get(payment.id)
    assert found
    return found


def test_payments_that_agree_do_not_become_due() -> None:
    payment = stored(paid())
    result = reconciliation.reconcile(run_context(seconds=60))
    assert (result.differing, result.is_whole) == (0, True)
    assert result.listed >= 1
    assert stored(payment) == payment


@pytest.mark.parametrize("action", ["refund", "dispute"])
def test_payment_with_change_at_provider_becomes_due_now(
    action: str, stripe_simulator: StripeSimulator
) -> None:
    changed, other = paid(), paid()
    stripe_simulator.dashboard(action, str(changed.provider_payment_id))
    assert reconciliation.reconcile(run_context(seconds=60)).differing == 1
    assert (stored(changed).due_at or 2**40) <= clock.seconds()
    assert stored(other).due_at is None


def test_foreign_payments_are_listed_and_ignored(stripe_simulator: StripeSimulator) -> None:
    stripe_simulator.seed_payment("pi_of_another_system", amount=700, currency="eur")
    result = reconciliation.reconcile(run_context(seconds=60))
    assert (result.listed, result.differing) == (1, 0)


def test_changes_older_than_three_days_are_not_listed(
    stripe_simulator: StripeSimulator, later: Callable[[float], None]
) -> None:
    payment = paid()
    stripe_simulator.dashboard("refund", str(payment.provider_payment_id))
    later(reconciliation.SINCE.total_seconds() + 60)
    assert reconciliation.reconcile(run_context(seconds=60)).listed == 0


def test_run_without_time_left_reports_that_it_is_not_whole() -> None:
    paid()
    done = reconciliation.reconcile(run_context(seconds=14))
    assert not done.is_whole


def test_failing_provider_raises_unknown_outcome(stripe_simulator: StripeSimulator) -> None:
    stripe_simulator.fault("list_refunds", "500_before", times=2)
    with pytest.raises(UnknownOutcome):
        reconciliation.reconcile(run_context(seconds=60))


def test_payment_that_changes_meanwhile_is_left_for_the_next_run(
    stripe_simulator: StripeSimulator,
) -> None:
    payment = paid()
    stripe_simulator.dashboard("refund", str(payment.provider_payment_id))
    with ExitStack() as undo:
        kind = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"
        Wire(undo, dynamodb.client()).answer("UpdateItem", 400, {"__type": kind})
        assert reconciliation.reconcile(run_context(seconds=60)).differing == 1
    assert stored(payment).due_at is None
    reconciliation.reconcile(run_context(seconds=60))
    assert stored(payment).due_at is not None
