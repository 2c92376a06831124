"""Refunds. Source: docs/api/native.md, section 4."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from bridge.models.refund import NewRefund, Refund

AT = datetime(2025, 1, 15, 10, 30, tzinfo=UTC)


def test_new_refund_without_amount_means_all_that_is_left() -> None:
    assert NewRefund().amount_cents is None


@pytest.mark.parametrize("amount", [0, -1, 1.5, "5", True])
def test_new_refund_amount_must_be_a_positive_integer(amount: Any) -> None:
    with pytest.raises(ValidationError):
        NewRefund.model_validate({"amount_cents": amount})


def test_refund_is_pending_until_something_else_is_known() -> None:
    refund = Refund(
        id="ref_1",
        payment_id="pay_1",
        amount_cents=1,
        currency="USD",
        reason="private words",
        created_at=AT,
        updated_at=AT,
    )
    assert (refund.status, refund.provider_refund_id) == ("pending", None)
    assert "private words" not in repr(refund)
