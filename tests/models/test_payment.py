"""Payments: the displayed status, the lock, the timeline. Source: docs/api/native.md, section 4."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from bridge.models.customer import Guest
from bridge.models.model import json_of, values_of
from bridge.models.payment import DisputeChange, Entry, PaymentResult, RefundChange
from bridge.models.provider import Dispute
from bridge.models.refund import Refund
from tests.records import attempt, payment

AT = datetime(2025, 1, 15, 10, 30, tzinfo=UTC)
ATTEMPT = attempt()
OPEN, WON, LOST = (Dispute(id="dp_1", state=state) for state in ("open", "won", "lost"))


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
    assert payment(status=status, **more).displayed_status == displayed


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
    active = replace(ATTEMPT, operation=operation)
    assert payment(status=status, active_attempt=active).displayed_status == displayed


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
    for text in (repr(secret), json_of(secret), str(values_of(secret))):
        assert "secret_x" not in text


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
    names = entry.displayed.keys()
    assert {"seq", "from", "to"} <= names
    assert names.isdisjoint({"sequence", "from_status", "to_status"})


def test_entry_shows_its_refund_and_its_dispute() -> None:
    entry = Entry(
        sequence=1,
        at=AT,
        from_status="succeeded",
        to_status="succeeded",
        cause="webhook",
        refund=RefundChange(id="ref_1", amount_cents=500, currency="USD", status="failed"),
        dispute=DisputeChange(id="dp_1", change="won"),
        previous_hash="",
    )
    assert entry.displayed["event"] is None
    assert entry.displayed["refund"] == {
        "id": "ref_1",
        "amount_cents": 500,
        "currency": "USD",
        "status": "failed",
    }
    assert entry.displayed["dispute"] == {"id": "dp_1", "change": "won"}


def test_texts_of_the_caller_are_not_in_a_repr() -> None:
    locked = payment(
        guest=Guest(email="private@example.com", name="Private"),
        active_attempt=attempt(
            sent="private",
            pending_changes={"description": "private"},
            before={"statement_descriptor": "private"},
        ),
    )
    assert "private" not in repr(locked).lower()
    assert "private" not in repr(locked.guest).lower()
