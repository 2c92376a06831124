"""Saved payment methods: a provider's token and what may be shown of it, never a card number.

Source: contracts/bridge.md section 5.
"""

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel, Field, ValidationInfo, field_validator

from bridge.models.address import Address
from bridge.models.customer import STRICT
from bridge.models.page import OffsetPage
from bridge.models.provider import ProviderId
from bridge.models.text import CheckedMetadata, Metadata, Reference, Short

TOKEN_NAMES = ("provider_payment_method_id", "provider_payment_method_token", "token")


class NewMethod(BaseModel):
    """A provider's token that is to be saved, under one of three names; the first counts.

    `type` is taken for the documents' sake: the provider knows which it is.
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
        """One of the three is given; one at fault, which `fields` lacks, counts as given."""
        if given is None and all(fields.data.get(name, 0) is None for name in TOKEN_NAMES[1:]):
            raise ValueError("is required")
        return given

    @property
    def token_name(self) -> str:
        """Which of the three names was used."""
        return next(name for name in TOKEN_NAMES if getattr(self, name) is not None)

    @property
    def provider_token(self) -> str:
        return str(getattr(self, self.token_name))


class MethodChange(BaseModel):
    """A partial update. The last five may only repeat what is stored (else `immutable_field`)."""

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


class PaymentMethod(BaseModel, frozen=True):
    """A method of one customer. The token is an item of its own in the `secrets` table.

    `is_default` is what the customer's item says, not this one. Months are 1 to 12, years have
    four digits; a card is good until the end of that month.
    """

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
    alias: str | None = Field(default=None, repr=False)
    billing_address_id: str | None = None
    metadata: Metadata = Field(default={}, repr=False)
    is_default: bool = False
    token: str | None = Field(default=None, exclude=True, repr=False)
    created_at: AwareDatetime
    updated_at: AwareDatetime

    def is_expired(self, now: datetime) -> bool:
        if self.exp_year is None or self.exp_month is None:
            return False
        return (self.exp_year, self.exp_month) < (now.year, now.month)


class Instrument(BaseModel, frozen=True):
    """A method as other APIs show it, with what the clock says of it and where its bills go."""

    method: PaymentMethod
    status: Literal["active", "expired"]
    billing_address: Address | None = None


class InstrumentsPage(BaseModel, frozen=True):
    """A page of them, how many the customer has in all, and what was asked for."""

    instruments: list[Instrument]
    total: int
    asked: OffsetPage


class CustomersMethods(BaseModel, frozen=True):
    """A page of what is saved for one customer, without the providers' tokens; seen at a time."""

    customer_uid: str
    methods: list[PaymentMethod]
    at: AwareDatetime


class MethodResult(BaseModel, frozen=True):
    """A method just saved, or told again for the client's key."""

    method: PaymentMethod
    replayed: bool = False
