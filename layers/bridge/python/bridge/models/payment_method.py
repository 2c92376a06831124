"""Saved payment methods: a provider's token and what may be shown of it, never a card number."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, Field

from bridge.models.provider import ProviderId


class PaymentMethod(BaseModel, frozen=True):
    """A method of one customer. The token is an item of its own in the `secrets` table."""

    id: str
    uid: str
    customer_id: str
    state: Literal["active", "deleted"] = "active"
    provider_id: ProviderId
    type: str = "card"
    brand: str | None = None
    last4: str | None = None
    exp_month: int | None = None
    exp_year: int | None = None
    token: str | None = Field(default=None, exclude=True, repr=False)
    created_at: AwareDatetime
    updated_at: AwareDatetime
