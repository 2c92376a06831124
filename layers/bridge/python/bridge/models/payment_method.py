"""Saved payment methods: a provider's token and what may be displayed, never a card number.

Source: docs/api/native.md, section 5.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, Field, ValidationInfo, field_validator

from bridge.models.address import Address
from bridge.models.customer import STRICT
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
from bridge.models.page import OffsetPage
from bridge.models.provider import ProviderId
from bridge.models.text import CheckedMetadata, Metadata, Reference, Short

TOKEN_NAMES = ("provider_payment_method_id", "provider_payment_method_token", "token")


class NewMethod(BaseModel):
    """The request to save a provider's token. The token has one of three names; the first counts.

    `type` is accepted because clients send it. The provider's type is stored.
    """

    model_config = STRICT
    token: Reference | None = None
    provider_payment_method_token: Reference | None = None
    provider_payment_method_id: Reference | None = Field(default=None, validate_default=True)
    provider_id: ProviderId = "stripe"
    customer_id: Reference | None = None
    organization_id: Reference | None = None
    type: Short | None = None
    alias: Short | None = None
    billing_address_id: Reference | None = None
    is_default: bool = False
    metadata: CheckedMetadata = {}

    @field_validator("provider_payment_method_id")
    @classmethod
    def _or_another_name(cls, given: str | None, fields: ValidationInfo) -> str | None:
        """Require one of the three names. An invalid one counts: it has an error of its own.

        `fields` does not contain invalid fields.
        """
        if given is None and all(fields.data.get(name, 0) is None for name in TOKEN_NAMES[1:]):
            raise ValueError("is required")
        return given

    @property
    def token_name(self) -> str:
        """The name that the request used for the token."""
        return next(name for name in TOKEN_NAMES if getattr(self, name) is not None)

    @property
    def provider_token(self) -> str:
        """The provider's token, whichever name it was sent under."""
        return str(getattr(self, self.token_name))


class MethodChange(BaseModel):
    """The request to change a payment method: only the fields that were sent.

    The last five fields cannot change. They may repeat the stored value; another value is a 400
    `immutable_field`.
    """

    model_config = STRICT
    alias: Short | None = None
    billing_address_id: Reference | None = None
    is_default: bool | None = None
    metadata: CheckedMetadata | None = None
    id: str | None = None
    customer_id: str | None = None
    provider_id: str | None = None
    provider_payment_method_id: str | None = None
    type: str | None = None


_TOKEN = FieldRule(
    set_by="client", seen_by="caller", changes="never", body_name="provider_payment_method_id"
)


class PaymentMethod(BaseModel, frozen=True):
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
    alias: Annotated[str | None, TEXT] = Field(default=None, repr=False)
    billing_address_id: Annotated[str | None, OWN] = None
    metadata: Annotated[Metadata, TEXT] = Field(default={}, repr=False)
    is_default: Annotated[bool, OWN] = False
    token: Annotated[str | None, _TOKEN] = Field(default=None, exclude=True, repr=False)
    created_at: Annotated[AwareDatetime, VISIBLE]
    updated_at: Annotated[AwareDatetime, VISIBLE]

    def is_expired(self, now: datetime) -> bool:
        """Whether the card's last month is over. A method without a date never expires."""
        if self.exp_year is None or self.exp_month is None:
            return False
        return (self.exp_year, self.exp_month) < (now.year, now.month)


class Instrument(BaseModel, frozen=True):
    """A payment method as payments.ai displays it: with its status now and its billing address."""

    method: PaymentMethod
    status: Literal["active", "expired"]
    billing_address: Address | None = None


class InstrumentsPage(BaseModel, frozen=True):
    """A page of instruments. `total`: how many the customer has. `asked`: the requested page."""

    instruments: list[Instrument]
    total: int
    asked: OffsetPage


class CustomersMethods(BaseModel, frozen=True):
    """A page of one customer's payment methods without tokens. `at`: when they were read."""

    customer_uid: str
    methods: list[PaymentMethod]
    at: AwareDatetime


class MethodResult(BaseModel, frozen=True):
    """A saved method. `replayed`: it is the stored response of the same idempotency key."""

    method: PaymentMethod
    replayed: bool = False
