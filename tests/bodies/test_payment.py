"""Bodies of requests about payments. Source: docs/api/native.md, section 4."""

from typing import Any

import pytest
from pydantic import ValidationError

from bridge.bodies.payment import (
    Cancellation,
    Capture,
    Confirmation,
    NewPayment,
    NewRefund,
    PaymentChange,
)


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


def test_new_refund_without_amount_means_all_that_is_left() -> None:
    assert NewRefund().amount_cents is None


@pytest.mark.parametrize("amount", [0, -1, 1.5, "5", True])
def test_new_refund_amount_must_be_a_positive_integer(amount: Any) -> None:
    with pytest.raises(ValidationError):
        NewRefund.model_validate({"amount_cents": amount})
