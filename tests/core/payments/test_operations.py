"""The operation plans: when each operation may start, and what it prepares before the lock.

Source: docs/payment-correctness.md, section 2.
"""

from collections.abc import Callable
from contextlib import suppress

import pytest
from msgspec.structs import replace

from bridge.bodies.payment import Capture, Confirmation, NewRefund, PaymentChange
from bridge.bodies.payment_method import NewMethod
from bridge.core.payment_state.attempts import OperationPlan
from bridge.core.payments import change_payment, operations
from bridge.core.wallet import payment_methods
from bridge.errors import Conflict, InvalidRequest, NotFound, Refused, WrongState
from bridge.models.payment import Payment
from bridge.models.provider import Dispute, method_digest
from local.stripe.simulator import StripeSimulator
from tests import records
from tests.conftest import USER, run_context
from tests.core.payment_state.conftest import VISA, created

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")
Plan = Callable[[], OperationPlan]


def confirm(request: Confirmation = VISA) -> OperationPlan:
    return operations.plan_confirm(USER, request, run_context())


def update(**changes: object) -> OperationPlan:
    change = PaymentChange.model_validate(changes or {"total_cents": 3000})
    return operations.plan_update(USER, change, run_context())


def cancel() -> OperationPlan:
    return operations.plan_cancel("requested_by_customer", run_context())


def capture(amount_cents: int | None = None) -> OperationPlan:
    return operations.plan_capture(Capture(amount_cents=amount_cents), run_context())


def refund(amount_cents: int | None = None) -> OperationPlan:
    return operations.plan_refund(NewRefund(amount_cents=amount_cents), run_context())


def payment(status: str, **more: object) -> Payment:
    known = {"status": status, "is_open": status in ("created", "requires_action", "failed")}
    if status == "succeeded":
        known |= {"captured_cents": 2000, "refundable_cents": 2000}
    return replace(created(), **(known | more))


@pytest.mark.parametrize(
    ("plan", "statuses", "code"),
    [
        (confirm, {"created", "failed", "requires_action"}, "payment_not_confirmable"),
        (update, {"created", "failed", "requires_action"}, "payment_not_updatable"),
        (
            cancel,
            {"created", "failed", "requires_action", "requires_capture"},
            "payment_not_cancelable",
        ),
        (capture, {"requires_capture"}, "payment_not_capturable"),
        (refund, {"succeeded"}, "payment_not_refundable"),
    ],
)
def test_starts_in_the_allowed_states_else_returns_the_payment_or_raises_409(
    plan: Plan, statuses: set[str], code: str
) -> None:
    unchanged = {
        confirm: {"processing", "requires_capture", "succeeded"},
        cancel: {"canceled"},
    }.get(plan, set())
    for status in (
        "created",
        "requires_action",
        "processing",
        "requires_capture",
        "failed",
        "succeeded",
        "canceled",
    ):
        row = payment(status)
        if status in statuses:
            assert plan().starts(row)
        elif status in unchanged:
            assert not plan().starts(row)
        else:
            with pytest.raises(Conflict) as refused:
                plan().starts(row)
            assert refused.value.code == code


@pytest.mark.parametrize("plan", [confirm, update])
def test_confirm_and_update_of_a_payment_without_provider_object_raise_409(plan: Plan) -> None:
    with pytest.raises(Conflict):
        plan().starts(payment("failed", provider_payment_id=None))


def test_confirm_of_a_refunded_payment_raises_409_but_returns_a_disputed_one() -> None:
    with pytest.raises(Conflict) as refused:
        confirm().starts(payment("succeeded", refunded_cents=2000))
    assert refused.value.code == "payment_not_confirmable"
    disputed = payment("succeeded", dispute=Dispute(id="dp_1", state="open"))
    assert not confirm().starts(disputed)
    assert not confirm().starts(payment("succeeded", refunded_cents=500))


def test_cancel_of_a_failed_payment_needs_an_open_object() -> None:
    assert cancel().starts(payment("failed"))
    with pytest.raises(Conflict):
        cancel().starts(payment("failed", is_open=False))


@pytest.mark.parametrize(("amount", "is_enough"), [(None, True), (2000, True), (2001, False)])
def test_capture_above_the_authorization_raises_409(amount: int | None, is_enough: bool) -> None:
    row = payment("requires_capture")
    if is_enough:
        assert capture(amount).starts(row)
        return
    with pytest.raises(Conflict) as refused:
        capture(amount).starts(row)
    assert refused.value.code == "amount_exceeds_available"


@pytest.mark.parametrize(
    ("amount", "left", "is_enough"),
    [(None, 2000, True), (500, 500, True), (501, 500, False), (None, 0, False)],
)
def test_refund_above_what_is_left_raises_409(
    amount: int | None, left: int, is_enough: bool
) -> None:
    row = payment("succeeded", refundable_cents=left)
    if is_enough:
        assert refund(amount).starts(row)
        return
    with pytest.raises(Conflict) as refused:
        refund(amount).starts(row)
    assert refused.value.code == "amount_exceeds_available"


@pytest.mark.parametrize(
    ("plan", "status", "message"),
    [
        (confirm, "canceled", "a payment that is canceled cannot be confirmed"),
        (update, "processing", "a payment that is processing cannot be updated"),
        (cancel, "succeeded", "a payment that is succeeded cannot be canceled"),
        (capture, "created", "a payment that is created cannot be captured"),
        (refund, "failed", "a payment that is failed cannot be refunded"),
        (lambda: capture(2001), "requires_capture", "2000 is authorized"),
        (lambda: refund(2001), "succeeded", "2000 is left to refund"),
    ],
)
def test_refusal_to_start_says_why(plan: Plan, status: str, message: str) -> None:
    with pytest.raises(Conflict) as refused:
        plan().starts(payment(status))
    assert str(refused.value) == message


def test_plan_has_its_operation_and_the_request_with_only_what_was_sent() -> None:
    plans = [
        operations.plan_confirm(USER, VISA, run_context()),
        operations.plan_update(USER, PaymentChange(total_cents=3000), run_context()),
        operations.plan_cancel("abandoned", run_context()),
        operations.plan_capture(Capture(), run_context()),
        operations.plan_refund(NewRefund(amount_cents=500), run_context()),
    ]
    assert [(each.operation, each.request) for each in plans] == [
        ("confirm", '{"payment_method_id":"pm_card_visa"}'),
        ("update", '{"total_cents":3000}'),
        ("cancel", "abandoned"),
        ("capture", "{}"),
        ("refund", '{"amount_cents":500}'),
    ]


def test_refund_is_the_only_plan_that_is_repeatable() -> None:
    plans = [confirm(), update(), cancel(), capture(), refund()]
    assert [plan.operation for plan in plans if plan.is_repeatable] == ["refund"]


def test_prepare_refund_without_amount_takes_all_that_is_left() -> None:
    row = payment("succeeded", refundable_cents=700)
    request = NewRefund(reason="damaged")
    prepared = operations.plan_refund(request, run_context()).prepare(row).refund
    assert prepared
    assert (prepared.amount_cents, prepared.currency, prepared.status) == (700, "USD", "pending")
    assert (prepared.payment_id, prepared.reason) == (row.id, "damaged")
    assert prepared.id.startswith("ref_")
    assert prepared.created_at == prepared.updated_at


@pytest.mark.parametrize(
    ("plan", "status", "expected"),
    [
        (confirm, "created", {"payment_method": "pm_card_visa"}),
        (update, "created", {"amount": "3000"}),
        (
            lambda: update(payment_method_id="pm_card_visa"),
            "created",
            {"amount": "2000", "payment_method": "pm_card_visa"},
        ),
        (cancel, "created", {"cancellation_reason": "requested_by_customer"}),
        (lambda: capture(500), "requires_capture", {"amount_to_capture": "500"}),
        (lambda: refund(500), "succeeded", {"amount": "500"}),
    ],
)
def test_send_makes_the_call_with_the_key_of_the_attempt(
    plan: Plan, status: str, expected: dict[str, str], stripe_simulator: StripeSimulator
) -> None:
    row = payment(status)
    prepared = plan().prepare(row)
    locked = replace(row, active_attempt=records.attempt(key=f"{row.uid}.2"))
    with suppress(Refused, WrongState):  # the object itself is not in the state of our row
        prepared.send(locked)
    asked = stripe_simulator.requests[-1]
    assert asked.headers["Idempotency-Key"] == f"{row.uid}.2"
    assert expected.items() <= asked.form.items()


@pytest.mark.parametrize(
    ("given", "used"),
    [("https://shop.test/new", "https://shop.test/new"), (None, "https://shop.test/old")],
)
def test_confirm_sends_the_given_return_url_else_the_stored_one(
    given: str | None, used: str, stripe_simulator: StripeSimulator
) -> None:
    row = replace(created(), return_url="https://shop.test/old", may_redirect=True)
    request = Confirmation(payment_method_id="pm_card_visa", return_url=given)
    prepared = confirm(request).prepare(row)
    with suppress(Refused):  # the object itself was created without redirects
        prepared.send(replace(row, active_attempt=records.attempt(key=f"{row.uid}.2")))
    assert stripe_simulator.requests[-1].form["return_url"] == used
    sent = {"payment_method_id": "pm_card_visa"} | ({"return_url": given} if given else {})
    assert prepared.pending_changes == sent


def test_prepare_update_computes_the_other_amounts() -> None:
    changes = update(total_cents=3000, tax_cents=300).prepare(created()).pending_changes
    assert changes == {
        "subtotal_cents": 2700,
        "tax_cents": 300,
        "discount_cents": 0,
        "total_cents": 3000,
    }


def test_rule18_prepare_update_has_the_digest_of_the_method_that_is_sent() -> None:
    prepared = update(payment_method_id="pm_card_visa").prepare(created())
    assert prepared.method == method_digest("pm_card_visa")
    assert update(total_cents=3000).prepare(created()).method is None


def test_prepare_update_without_an_amount_writes_no_amount() -> None:
    changes = update(payment_method_id="pm_card_visa").prepare(created()).pending_changes
    assert changes == {"payment_method_id": "pm_card_visa"}


@pytest.mark.parametrize(
    ("plan", "field"),
    [(capture, "amount_cents"), (refund, "amount_cents"), (update, "total_cents")],
)
def test_prepare_refuses_an_amount_that_does_not_convert(
    plan: Callable[..., OperationPlan], field: str
) -> None:
    row = payment("succeeded", currency="KWD")
    prepared = plan(total_cents=1001) if plan is update else plan(1001)
    with pytest.raises(InvalidRequest) as refused:
        prepared.prepare(row)
    assert refused.value.code == "amount_not_representable"
    assert [detail.field for detail in refused.value.details] == [field]


def test_b18_confirm_without_any_method_raises_payment_method_required(
    stripe_simulator: StripeSimulator,
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        change_payment.confirm(USER, created().id, Confirmation(), run_context())
    assert refused.value.code == "payment_method_required"
    assert str(refused.value) == "a payment method is required to confirm this payment"
    assert refused.value.details == [("payment_method_id", "is required")]
    assert stripe_simulator.log.counts["confirm"] == 0


def test_b18_confirm_uses_the_method_that_the_object_has(
    stripe_simulator: StripeSimulator,
) -> None:
    row = created()
    intent, secret = str(row.provider_payment_id), str(row.client_secret)
    stripe_simulator.browser_attach(intent, secret, "pm_card_visa")
    paid = change_payment.confirm(USER, row.id, Confirmation(), run_context()).payment
    assert paid.status == "succeeded"


def test_b18_confirm_with_a_stored_method_that_is_gone_raises_payment_method_required() -> None:
    new = NewMethod(token="pm_card_visa", provider_id="stripe")
    method = payment_methods.create_method(USER, new, run_context()).method
    row = created(payment_method_id=method.id)
    payment_methods.delete_method(USER, method.id)
    with pytest.raises(InvalidRequest) as refused:
        change_payment.confirm(USER, row.id, Confirmation(), run_context())
    assert refused.value.code == "payment_method_required"
    assert str(refused.value) == "the stored payment method is no longer there"
    given = Confirmation(payment_method_id=method.id)
    with pytest.raises(NotFound):
        change_payment.confirm(USER, row.id, given, run_context())


def test_b18_confirm_with_a_method_of_another_customer_raises_400_on_the_field() -> None:
    row = created()
    new = NewMethod(token="pm_card_visa", provider_id="stripe")
    method = payment_methods.create_method(USER, new, run_context()).method
    other = replace(row, customer_id="cust_other")
    with pytest.raises(InvalidRequest) as refused:
        confirm(Confirmation(payment_method_id=method.id)).prepare(other)
    assert str(refused.value) == "payment_method_id belongs to another customer than the payment"
    assert refused.value.details == [("payment_method_id", "belongs to another customer")]
