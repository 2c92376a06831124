"""Refunds. Source: docs/api/native.md, section 4."""

from typing import Annotated, Literal

from bridge.models.model import PRIVATE, Model, Time

RefundStatus = Literal["pending", "succeeded", "failed"]


class Refund(Model, frozen=True, kw_only=True):
    """One refund of a payment.

    `reason` is the caller's text. For a refund that was made at the provider it is the provider's.
    """

    id: str
    payment_id: str
    provider_refund_id: str | None = None
    amount_cents: int
    currency: str
    status: RefundStatus = "pending"
    reason: Annotated[str | None, PRIVATE] = None
    created_at: Time
    updated_at: Time
