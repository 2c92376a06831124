"""The daily comparison with the provider. Source: docs/payment-correctness.md, section 8."""

from collections.abc import Callable

import pytest

from bridge import clock
from bridge.bodies.payment import Cancellation, Capture, Confirmation, NewPayment, NewRefund
from bridge.core.payments import change_payment, create_payment
from bridge.core.workers import reconciliation
from bridge.errors import UnknownOutcome
from bridge.models.payment import Payment
from bridge.store.jobs import provider_walk_items
from bridge.store.payments import event_counter_items, payment_items
from local.stripe.simulator import StripeSimulator
from tests.conftest import USER, run_context

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")
Later = Callable[[float], None]
VISA = Confirmation(payment_method_id="pm_card_visa")
DAY = 24 * 3600


def paid(method: str = "pm_card_visa", **more: object) -> Payment:
    new = NewPayment.model_validate({"total_cents": 2000, "currency": "USD"} | more)
    payment = create_payment.create_payment_intent(USER, new, run_context()).payment
    confirmation = Confirmation(payment_method_id=method)
    return change_payment.confirm(USER, payment.id, confirmation, run_context()).payment


def captured_in_part(cents: int = 1200) -> Payment:
    """A payment whose rest was released; Stripe lists that as a refund."""
    payment = paid(capture_method="manual")
    part = Capture(amount_cents=cents)
    return change_payment.capture(USER, payment.id, part, run_context()).payment


def refunded(payment: Payment, cents: int) -> None:
    change_payment.refund(USER, payment.id, NewRefund(amount_cents=cents), run_context())


def stored(payment: Payment) -> Payment:
    found = payment_items.get(payment.id)
    assert found
    return found


def is_due(payment: Payment) -> bool:
    """Whether the payment's event counter is due now."""
    counter = event_counter_items.get(payment.id)
    return counter is not None and (counter.due_at or 2**40) <= clock.seconds()


def reconcile(seconds: float = 60) -> reconciliation.Reconciled:
    return reconciliation.reconcile(run_context(seconds=seconds))


def test_payments_that_agree_do_not_become_due() -> None:
    payment = stored(paid())
    result = reconcile()
    assert (result.differing, result.is_whole) == (0, True)
    assert result.listed >= 1
    assert stored(payment) == payment
    assert event_counter_items.get(payment.id) is None


@pytest.mark.parametrize("action", ["refund", "dispute"])
def test_payment_with_change_at_provider_becomes_due_now(
    action: str, stripe_simulator: StripeSimulator
) -> None:
    changed, other = paid(), paid()
    stripe_simulator.dashboard(action, str(changed.provider_payment_id))
    assert reconcile().differing == 1
    assert (is_due(changed), is_due(other)) == (True, False)


def test_no_write_of_ours_clears_what_was_found(
    stripe_simulator: StripeSimulator, later: Later
) -> None:
    payment = paid()
    later(100)
    stripe_simulator.dashboard("refund", str(payment.provider_payment_id), 300)
    assert reconcile().differing == 1
    refunded(payment, 200)
    assert is_due(payment)


def test_reconciliation_writes_no_payment(stripe_simulator: StripeSimulator) -> None:
    payment = stored(paid())
    stripe_simulator.dashboard("refund", str(payment.provider_payment_id))
    for _ in range(2):
        assert reconcile().differing == 1
    assert stored(payment) == payment


def test_locked_payment_is_checked_too(stripe_simulator: StripeSimulator) -> None:
    new = NewPayment(total_cents=2000, currency="USD")
    payment = create_payment.create_payment_intent(USER, new, run_context()).payment
    stripe_simulator.fault("confirm", "drop_after")
    change_payment.confirm(USER, payment.id, VISA, run_context())
    assert stored(payment).active_attempt
    assert reconcile().differing == 1
    assert is_due(payment)


def test_partial_capture_is_no_difference(later: Later) -> None:
    captured_in_part()
    for _ in range(3):
        assert reconcile().differing == 0
        later(3600)


def test_refund_of_a_partial_capture_is_no_difference() -> None:
    refunded(captured_in_part(1200), 800)
    assert reconcile().differing == 0


def test_canceled_authorization_is_no_difference() -> None:
    payment = paid(capture_method="manual")
    change_payment.cancel(USER, payment.id, Cancellation(), run_context())
    assert reconcile().differing == 0


@pytest.mark.parametrize("cents", [800, 500])
def test_dashboard_refund_of_a_partial_capture_is_found(
    cents: int, stripe_simulator: StripeSimulator
) -> None:
    """Also one that has the amount of the release."""
    payment = captured_in_part(1200)
    stripe_simulator.dashboard("refund", str(payment.provider_payment_id), cents)
    assert reconcile().differing == 1
    assert is_due(payment)


def test_unknown_refund_that_failed_is_no_difference(
    stripe_simulator: StripeSimulator, later: Later
) -> None:
    payment = paid("pm_card_refundFail")
    stripe_simulator.dashboard("refund", str(payment.provider_payment_id))
    assert reconcile().differing == 1
    later(61)
    assert {each.status for each in stripe_simulator.world.refunds.values()} == {"failed"}
    assert reconcile().differing == 0


def test_refund_of_ours_that_failed_is_found(
    stripe_simulator: StripeSimulator, later: Later
) -> None:
    payment = paid("pm_card_refundFail")
    refunded(payment, 2000)
    later(61)
    assert reconcile().differing == 1


def test_foreign_payments_are_listed_and_ignored(stripe_simulator: StripeSimulator) -> None:
    stripe_simulator.seed_payment("pi_of_another_system", amount=700, currency="eur")
    done = reconcile()
    assert (done.listed, done.differing) == (1, 0)


def test_changes_older_than_three_days_are_not_listed(
    stripe_simulator: StripeSimulator, later: Later
) -> None:
    payment = paid()
    stripe_simulator.dashboard("refund", str(payment.provider_payment_id))
    later(reconciliation.SINCE.total_seconds() + 60)
    assert reconcile().listed == 0


def test_changes_since_the_last_comparison_are_listed_however_old(
    stripe_simulator: StripeSimulator, later: Later
) -> None:
    payment = paid()
    reconcile()
    later(60)
    stripe_simulator.dashboard("refund", str(payment.provider_payment_id))
    later(10 * DAY)
    assert reconcile().differing == 1


def test_run_without_time_left_reports_that_it_is_not_whole() -> None:
    paid()
    assert not reconcile(seconds=14).is_whole


def test_run_goes_on_where_the_last_one_stopped(
    stripe_simulator: StripeSimulator, later: Later
) -> None:
    """It failed between the payments and the refunds, so the payments are not listed again."""
    payment = paid()
    stripe_simulator.dashboard("refund", str(payment.provider_payment_id))
    later(1)
    stripe_simulator.fault("list_refunds", "500_before", times=2)
    with pytest.raises(UnknownOutcome):
        reconcile()
    unfinished = provider_walk_items.get("stripe", "changes")
    assert unfinished
    assert str(unfinished.position).startswith("payments:")
    later(2 * DAY)
    made_since = paid()
    later(1)
    done = reconcile()
    assert (done.differing, done.is_whole) == (1, True)
    finished = provider_walk_items.get("stripe", "changes")
    assert finished
    assert finished.is_finished
    assert finished.since < made_since.created_at < finished.until


def test_failing_provider_raises_unknown_outcome(stripe_simulator: StripeSimulator) -> None:
    stripe_simulator.fault("list_refunds", "500_before", times=2)
    with pytest.raises(UnknownOutcome):
        reconcile()
