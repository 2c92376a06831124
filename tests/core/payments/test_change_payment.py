"""Change a payment: our own fields, sync, update, abandon, and who may do it.

Source: docs/api/native.md, section 4; docs/payment-correctness.md, section 2.
"""

from collections.abc import Callable

import pytest

from bridge.bodies.customer import GuestData
from bridge.bodies.payment import (
    Cancellation,
    Capture,
    Confirmation,
    NewPayment,
    NewRefund,
    PaymentChange,
)
from bridge.core.payments import change_payment, create_payment
from bridge.core.workers import sweep
from bridge.errors import (
    BridgeError,
    Conflict,
    Forbidden,
    InvalidRequest,
    NotAuthenticated,
    NotFound,
    UnknownOutcome,
)
from bridge.models import field_rules
from bridge.models.caller import Caller
from bridge.models.payment import Payment
from bridge.store.payments import payment_items
from local.stripe.simulator import StripeSimulator
from tests.conftest import STRANGER, USER, run_context, sweep_run, together
from tests.core.payment_state.conftest import (
    VISA,
    Later,
    assert_settled,
    created,
    stored,
)

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")


def test_concurrent_changes_of_own_fields_are_both_kept() -> None:
    made = created()
    changes = [PaymentChange(concept="a"), PaymentChange(category="b")]
    together(2, lambda number: change_payment.update(USER, made.id, changes[number], run_context()))
    found = stored(made.id)
    assert (found.concept, found.category) == ("a", "b")


def test_concurrent_own_field_change_and_confirm_are_both_kept(
    stripe_simulator: StripeSimulator,
) -> None:
    made = created()

    def act(number: int) -> object:
        if number:
            return change_payment.update(USER, made.id, PaymentChange(concept="a"), run_context())
        return change_payment.confirm(USER, made.id, VISA, run_context())

    together(2, act)
    found = stored(made.id)
    assert (found.status, found.concept, found.active_attempt) == ("succeeded", "a", None)
    assert len(stripe_simulator.charges()) == 1


def test_unpaid_payment_is_canceled_after_a_week(
    later: Later, stripe_simulator: StripeSimulator
) -> None:
    payment = created()
    later(8 * 24 * 3600)
    sweep.sweep(sweep_run())
    assert stored(payment.id).status == "canceled"
    assert stripe_simulator.intents()[0]["status"] == "canceled"
    assert stored(payment.id).due_at is None
    with pytest.raises(BridgeError) as refused:
        change_payment.confirm(USER, payment.id, VISA, run_context())
    assert refused.value.code == "payment_not_confirmable"
    assert_settled(payment.id)


def test_payment_that_was_left_at_3d_secure_is_canceled_after_a_week(
    stripe_simulator: StripeSimulator, later: Later
) -> None:
    made = created()
    asked = Confirmation(payment_method_id="pm_card_threeDSecure2Required")
    assert change_payment.confirm(USER, made.id, asked, run_context()).payment.status == (
        "requires_action"
    )
    for _ in range(10):
        later(24 * 3600)
        sweep.sweep(sweep_run())
    assert (stored(made.id).status, stored(made.id).due_at) == ("canceled", None)
    assert stripe_simulator.intents()[0]["status"] == "canceled"


def test_abandon_days_0_means_never(later: Later, setting: Callable[[str, str], None]) -> None:
    setting("ABANDON_DAYS", "0")
    made = created()
    for days in (0, 8, 30):
        later(days * 24 * 3600 + 61)
        sweep.sweep(sweep_run())
    assert stored(made.id).status == "created"


@pytest.mark.parametrize(
    ("change", "there"),
    [
        (PaymentChange(setup_future_usage="off_session"), "setup_future_usage"),
        (PaymentChange(payment_method_id="pm_card_visa"), "payment_method"),
        (PaymentChange(statement_descriptor="SHOP 42"), "statement_descriptor_suffix"),
        (PaymentChange(total_cents=2100), "amount"),
    ],
)
@pytest.mark.parametrize(
    ("fault", "outcome"), [("drop_before", "not_sent"), ("drop_after", "done")]
)
def test_rule18_update_is_done_only_if_the_provider_has_it(
    change: PaymentChange,
    there: str,
    fault: str,
    outcome: str,
    stripe_simulator: StripeSimulator,
    later: Later,
) -> None:
    made = created()
    before = stripe_simulator.intents()[0].get(there)
    stripe_simulator.fault("update_payment", fault, times=2)
    assert change_payment.update(USER, made.id, change, run_context()).retry_after
    for _ in range(4):
        later(70)
        sweep.sweep(sweep_run())
    ends = [each.outcome for each in payment_items.timeline(made.id)]
    assert ends == ["done", outcome]
    row, intent = stored(made.id), stripe_simulator.intents()[0]
    assert (intent.get(there) == before) == (outcome == "not_sent")
    assert (row.total_cents, row.setup_future_usage) == (
        intent["amount"],
        intent["setup_future_usage"],
    )
    assert row.statement_descriptor == intent.get("statement_descriptor_suffix")
    is_kept = outcome == "done" and change.payment_method_id
    assert row.payment_method_id == (change.payment_method_id if is_kept else None)


def test_update_with_own_fields_and_an_amount_stores_both() -> None:
    made = created()
    change = PaymentChange(total_cents=2100, project_id="proj_1", metadata={"a": "b"})
    change_payment.update(USER, made.id, change, run_context())
    row = stored(made.id)
    assert (row.total_cents, row.metadata, row.project_id) == (2100, {"a": "b"}, "proj_1")


def test_active_update_does_not_overwrite_newer_own_fields(
    later: Later, stripe_simulator: StripeSimulator
) -> None:
    payment = created()
    stripe_simulator.fault("update_payment", "drop_after", times=2)
    older = PaymentChange(total_cents=3000, description="older", tags="kept")
    assert change_payment.update(USER, payment.id, older, run_context()).retry_after
    change_payment.update(USER, payment.id, PaymentChange(description="newer"), run_context())
    later(200)
    sweep.sweep(sweep_run())
    found = stored(payment.id)
    assert (found.total_cents, found.description, found.tags) == (3000, "newer", "kept")


def test_update_of_own_fields_works_while_an_attempt_is_active(
    stripe_simulator: StripeSimulator,
) -> None:
    payment = created()
    stripe_simulator.fault("confirm", "drop_before")
    change_payment.confirm(USER, payment.id, VISA, run_context())
    change = PaymentChange(description="new", metadata={"a": 1})
    updated = change_payment.update(USER, payment.id, change, run_context()).payment
    assert (updated.description, updated.metadata) == ("new", {"a": 1})
    assert stored(payment.id).active_attempt
    assert stripe_simulator.log.counts["update_payment"] == 0


def test_update_of_the_amount_calls_the_provider() -> None:
    payment = created()
    change = PaymentChange(total_cents=3000, description="new")
    updated = change_payment.update(USER, payment.id, change, run_context()).payment
    assert (updated.total_cents, updated.subtotal_cents) == (3000, 3000)
    assert updated.description == "new"
    assert_settled(payment.id)


CHANGED: dict[str, object] = {
    "subtotal_cents": 2500,
    "tax_cents": 500,
    "discount_cents": 10,
    "total_cents": 2500,
    "currency": "EUR",
    "payment_method_id": "pm_card_mastercard",
    "project_id": "project_2",
    "setup_future_usage": "off_session",
    "return_url": "http://localhost/back",
    "cancel_url": "http://localhost/cancel",
    "metadata": {"n": 1.5, "t": True},
}


@pytest.mark.parametrize(
    "field",
    [
        name
        for name, rule in field_rules.rules_of(Payment).items()
        if rule.changes in ("any_time", "before_charge")
    ],
)
def test_every_field_that_a_client_may_change_is_stored_together_with_an_amount(field: str) -> None:
    payment = created()
    value = CHANGED.get(field, f"new {field}"[:22])
    change = PaymentChange.model_validate({"total_cents": 3000} | {field: value})
    if field in ("subtotal_cents", "tax_cents", "discount_cents"):
        change = PaymentChange.model_validate({field: value})
    change_payment.update(USER, payment.id, change, run_context())
    assert getattr(stored(payment.id), field) == value
    assert_settled(payment.id)


def test_update_without_any_field_returns_the_payment_unchanged() -> None:
    payment = created()
    updated = change_payment.update(USER, payment.id, PaymentChange(), run_context()).payment
    assert updated == payment
    assert stored(payment.id).version == payment.version


@pytest.mark.parametrize(
    "change", [{"provider_id": "paypal"}, {"customer_id": "cust_other"}, {"id": "pay_other"}]
)
def test_update_of_an_immutable_field_raises_400(change: dict[str, str]) -> None:
    payment = created()
    with pytest.raises(InvalidRequest) as refused:
        change_payment.update(USER, payment.id, PaymentChange.model_validate(change), run_context())
    assert refused.value.code == "immutable_field"


def test_sync_saves_what_happened_at_the_provider(stripe_simulator: StripeSimulator) -> None:
    payment = created()
    intent, secret = str(payment.provider_payment_id), str(payment.client_secret)
    stripe_simulator.browser_confirm(intent, secret, "pm_card_visa")
    assert change_payment.sync(USER, payment.id, run_context()).status == "succeeded"
    assert_settled(payment.id)


def test_sync_raises_if_the_provider_cannot_be_asked(stripe_simulator: StripeSimulator) -> None:
    payment = created()
    stripe_simulator.fault("fetch", "500_before", times=None)
    with pytest.raises(UnknownOutcome):
        change_payment.sync(USER, payment.id, run_context())
    assert stored(payment.id).status == "created"


def test_abandon_cancels_at_the_provider_with_its_reason(
    stripe_simulator: StripeSimulator,
) -> None:
    payment = created()
    assert change_payment.abandon(stored(payment.id), sweep_run()).status == "canceled"
    (request,) = [each for each in stripe_simulator.requests if each.operation == "cancel"]
    assert request.form["cancellation_reason"] == "abandoned"
    assert payment_items.timeline(payment.id)[-1].cause == "sweep"


def test_every_change_raises_not_found_for_another_user() -> None:
    payment = created()
    run = run_context()
    for act in (
        lambda: change_payment.sync(STRANGER, payment.id, run),
        lambda: change_payment.confirm(STRANGER, payment.id, VISA, run),
        lambda: change_payment.update(STRANGER, payment.id, PaymentChange(concept="a"), run),
        lambda: change_payment.cancel(STRANGER, payment.id, Cancellation(), run),
        lambda: change_payment.capture(STRANGER, payment.id, Capture(), run),
        lambda: change_payment.refund(STRANGER, payment.id, NewRefund(), run),
    ):
        with pytest.raises(NotFound):
            act()
    assert stored(payment.id).version == payment.version


def test_b9_member_who_only_reads_may_not_change_a_payment_of_the_organization() -> None:
    payment = created(organization_id="org_456")
    member = Caller(user_id="user_1", organizations={"org_456": "member"})
    with pytest.raises(Forbidden):
        change_payment.confirm(member, payment.id, VISA, run_context())
    with pytest.raises(Forbidden):
        change_payment.cancel(member, payment.id, Cancellation(), run_context())


def test_b8_guest_may_confirm_and_cancel_but_not_update_capture_or_refund() -> None:
    guest = GuestData(email="a@example.com", name="A")
    new = NewPayment(total_cents=2000, currency="USD", guest_data=guest)
    made = create_payment.create_payment_intent(Caller(), new, run_context()).payment
    caller = Caller(guest_of=made.id)
    for act in (
        lambda: change_payment.update(caller, made.id, PaymentChange(concept="a"), run_context()),
        lambda: change_payment.capture(caller, made.id, Capture(), run_context()),
        lambda: change_payment.refund(caller, made.id, NewRefund(), run_context()),
    ):
        with pytest.raises(NotAuthenticated):
            act()
    assert (
        change_payment.confirm(caller, made.id, VISA, run_context()).payment.status == "succeeded"
    )
    with pytest.raises(Conflict):
        change_payment.cancel(caller, made.id, Cancellation(), run_context())
