"""Refunds. Source: docs/api/native.md, section 4."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, Field

from bridge.models.currency import Cents
from bridge.models.customer import STRICT
from bridge.models.text import Description

RefundStatus = Literal["pending", "succeeded", "failed"]


class NewRefund(BaseModel):
    """The body of a refund. Without an amount: all that is left."""

    model_config = STRICT
    amount_cents: Annotated[Cents, Field(ge=1)] | None = None
    reason: Description | None = None


class Refund(BaseModel, frozen=True):
    """One refund of a payment.

    `reason` is the caller's text. For a refund that was made at the provider it is the provider's.
    """

    id: str
    payment_id: str
    provider_refund_id: str | None = None
    amount_cents: int
    currency: str
    status: RefundStatus = "pending"
    reason: str | None = Field(default=None, repr=False)
    created_at: AwareDatetime
    updated_at: AwareDatetime
