"""Refunds. Source: contracts/bridge.md section 4, the row of `POST /payments/:id/refund`."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, Field

from bridge.models.currency import Cents
from bridge.models.customer import STRICT
from bridge.models.text import Description

RefundStatus = Literal["pending", "succeeded", "failed"]


class NewRefund(BaseModel):
    """What a caller asks for: without an amount, all that is left."""

    model_config = STRICT
    amount_cents: Annotated[Cents, Field(ge=1)] | None = None
    reason: Description | None = None


class Refund(BaseModel, frozen=True):
    """One refund of a payment. `reason` is the caller's text, or the provider's word for one that
    was made elsewhere."""

    id: str
    payment_id: str
    provider_refund_id: str | None = None
    amount_cents: int
    currency: str
    status: RefundStatus = "pending"
    reason: str | None = Field(default=None, repr=False)
    created_at: AwareDatetime
    updated_at: AwareDatetime
