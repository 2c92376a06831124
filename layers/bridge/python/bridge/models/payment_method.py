"""Saved payment methods: a provider's token and what may be displayed, never a card number.

Source: docs/api/native.md, section 5.
"""

from datetime import datetime
from typing import Annotated, Literal

from bridge.models.address import Address
from bridge.models.field_rules import (
    FIXED,
    MADE,
    OURS,
    OWN,
    PROVIDERS,
    TEXT,
    VISIBLE,
    FieldRule,
)
from bridge.models.model import Model, Time
from bridge.models.page import OffsetPage
from bridge.models.provider import ProviderId
from bridge.models.text import Metadata

_TOKEN = FieldRule(
    set_by="client",
    seen_by="caller",
    changes="never",
    body_name="provider_payment_method_id",
    is_secret=True,
)


class PaymentMethod(Model, frozen=True, kw_only=True):
    """A payment method of one customer. The token is a separate item in the table `secrets`.

    `is_default` comes from the customer's item. `exp_month` is 1 to 12, `exp_year` has four digits;
    a card is valid until the end of that month.
    """

    id: Annotated[str, MADE]
    uid: Annotated[str, OURS]
    customer_id: Annotated[str, FIXED]
    state: Annotated[Literal["active", "deleted"], OURS] = "active"
    provider_id: Annotated[ProviderId, FIXED]
    type: Annotated[str, FIXED] = "card"
    brand: Annotated[str | None, PROVIDERS] = None
    last4: Annotated[str | None, PROVIDERS] = None
    exp_month: Annotated[int | None, PROVIDERS] = None
    exp_year: Annotated[int | None, PROVIDERS] = None
    alias: Annotated[str | None, TEXT] = None
    billing_address_id: Annotated[str | None, OWN] = None
    metadata: Annotated[Metadata, TEXT] = {}
    is_default: Annotated[bool, OWN] = False
    token: Annotated[str | None, _TOKEN] = None
    created_at: Annotated[Time, VISIBLE]
    updated_at: Annotated[Time, VISIBLE]

    def is_expired(self, now: datetime) -> bool:
        """Whether the card's last month is over. A method without a date never expires."""
        if self.exp_year is None or self.exp_month is None:
            return False
        return (self.exp_year, self.exp_month) < (now.year, now.month)


class Instrument(Model, frozen=True, kw_only=True):
    """A payment method as payments.ai displays it: with its status now and its billing address."""

    method: PaymentMethod
    status: Literal["active", "expired"]
    billing_address: Address | None = None


class InstrumentsPage(Model, frozen=True, kw_only=True):
    """A page of instruments. `total`: how many the customer has. `asked`: the requested page."""

    instruments: list[Instrument]
    total: int
    asked: OffsetPage


class CustomersMethods(Model, frozen=True, kw_only=True):
    """A page of one customer's payment methods without tokens. `at`: when they were read."""

    customer_uid: str
    methods: list[PaymentMethod]
    at: Time


class MethodResult(Model, frozen=True, kw_only=True):
    """A saved method. `replayed`: it is the stored response of the same idempotency key."""

    method: PaymentMethod
    replayed: bool = False
