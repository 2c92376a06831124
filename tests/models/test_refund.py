"""Refunds. Source: docs/api/native.md, section 4."""

from datetime import UTC, datetime

from bridge.models.refund import Refund

AT = datetime(2025, 1, 15, 10, 30, tzinfo=UTC)


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
