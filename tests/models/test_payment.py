"""Payments: bodies, the displayed status, the lock. Source: docs/api/native.md, section 4."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from bridge.models.payment import (
    ActiveAttempt,
    Cancellation,
    Capture,
    Confirmation,
    Entry,
    NewPayment,
    Payment,
    PaymentChange,
    PaymentResult,
)
from bridge.models.provider import Dispute
from bridge.models.refund import Refund

AT = datetime(2025, 1, 15, 10, 30, tzinfo=UTC)
ATTEMPT = ActiveAttempt(
    number=2,
    operation="confirm",
    key="1.2",
    total_cents=2000,
    was_cents=2000,
    from_status="created",
    request_hash="h",
    at=0,
    until=90,
)
OPEN, WON, LOST = (Dispute(id="dp_1", state=state) for state in ("open", "won", "lost"))


def payment(status: str = "created", **more: Any) -> Payment:
    amounts = {"subtotal_cents": 2000, "tax_cents": 0, "discount_cents": 0, "total_cents": 2000}
    known = {"id": "pay_1", "uid": "1", "currency": "USD", "provider_id": "stripe"}
    times = {"changed_at": AT, "created_at": AT, "updated_at": AT}
    return Payment(**known | times | amounts | {"status": status} | more)


@pytest.mark.parametrize(
    ("status", "more", "displayed"),
    [
        ("new", {}, "processing"),
        ("created", {}, "created"),
        ("requires_action", {}, "requires_action"),
        ("processing", {}, "processing"),
        ("requires_capture", {}, "requires_capture"),
        ("failed", {}, "failed"),
        ("canceled", {}, "canceled"),
        ("succeeded", {"captured_cents": 2000}, "succeeded"),
        ("succeeded", {"captured_cents": 2000, "refunded_cents": 1}, "partially_refunded"),
        ("succeeded", {"captured_cents": 2000, "refunded_cents": 2000}, "refunded"),
        ("succeeded", {"captured_cents": 2000, "dispute": OPEN}, "disputed"),
        ("succeeded", {"captured_cents": 2000, "dispute": LOST}, "disputed"),
        ("succeeded", {"captured_cents": 2000, "dispute": WON}, "succeeded"),
        (
            "succeeded",
            {"captured_cents": 2000, "refunded_cents": 2000, "dispute": LOST},
            "disputed",
        ),
        (
            "succeeded",
            {"captured_cents": 2000, "refunded_cents": 5, "dispute": WON},
            "partially_refunded",
        ),
    ],
)
def test_b13_displayed_status_is_computed(
    status: str, more: dict[str, Any], displayed: str
) -> None:
    assert payment(status, **more).displayed_status == displayed


@pytest.mark.parametrize(
    ("operation", "status", "displayed"),
    [
        ("confirm", "created", "processing"),
        ("confirm", "requires_action", "requires_action"),  # a status check has found it
        ("confirm", "succeeded", "succeeded"),
        ("update", "created", "created"),
        ("cancel", "created", "created"),
    ],
)
def test_b20_active_create_or_confirm_is_displayed_as_processing(
    operation: str, status: str, displayed: str
) -> None:
    active = ATTEMPT.model_copy(update={"operation": operation})
    assert payment(status, active_attempt=active).displayed_status == displayed


def test_locked_attempt_raises_if_the_payment_is_not_locked() -> None:
    assert payment(active_attempt=ATTEMPT).locked_attempt == ATTEMPT
    with pytest.raises(RuntimeError):
        _ = payment().locked_attempt


def test_requested_refund_raises_if_the_call_was_no_refund() -> None:
    refund = Refund(
        id="ref_1",
        payment_id="pay_1",
        amount_cents=1,
        currency="USD",
        created_at=AT,
        updated_at=AT,
    )
    assert PaymentResult(payment=payment(), refund=refund).requested_refund == refund
    with pytest.raises(RuntimeError):
        _ = PaymentResult(payment=payment()).requested_refund


def test_client_secret_is_not_in_dumps_and_not_in_repr() -> None:
    secret = payment(client_secret="pi_1_secret_x")
    for text in (repr(secret), secret.model_dump_json(), str(secret.model_dump())):
        assert "secret_x" not in text


def test_b14_new_payment_requires_a_total_or_a_subtotal() -> None:
    for known in ({"total_cents": 1}, {"subtotal_cents": 1}):
        assert NewPayment.model_validate({"currency": "USD"} | known)
    with pytest.raises(ValidationError) as refused:
        NewPayment.model_validate({"currency": "USD"})
    assert [each["loc"] for each in refused.value.errors()] == [("total_cents",)]


def test_b14_wrong_subtotal_is_the_only_error_of_its_body() -> None:
    """It was sent, so the total is not reported as missing."""
    with pytest.raises(ValidationError) as refused:
        NewPayment.model_validate({"currency": "USD", "subtotal_cents": -1})
    assert [each["loc"] for each in refused.value.errors()] == [("subtotal_cents",)]


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (NewPayment, {"total_cents": 1, "currency": "USD", "capture_method": "later"}),
        (NewPayment, {"total_cents": 1, "currency": "XXQ"}),
        (PaymentChange, {"total_cents": 0}),
        (Confirmation, {"payment_method_id": 7}),
        (Capture, {"amount_cents": 0}),
        (Cancellation, {"reason": "because"}),
    ],
)
def test_body_with_a_wrong_value_is_refused(model: Any, body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(body)


def test_payment_change_knows_which_fields_were_sent() -> None:
    change = PaymentChange.model_validate({"description": "new", "metadata": {}})
    assert change.model_fields_set == {"description", "metadata"}


def test_entry_is_dumped_by_the_names_that_callers_see() -> None:
    entry = Entry(
        sequence=1,
        at=AT,
        from_status="new",
        to_status="created",
        cause="api",
        event="payment.created",
        previous_hash="",
    )
    names = entry.model_dump(by_alias=True).keys()
    assert {"seq", "from", "to"} <= names
    assert names.isdisjoint({"sequence", "from_status", "to_status"})
