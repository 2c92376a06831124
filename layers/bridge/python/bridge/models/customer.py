"""Customers. Source: native API, "Customers API"; contracts/bridge.md section 3."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from bridge.models.provider import ProviderId
from bridge.models.text import (
    CheckedMetadata,
    Email,
    Metadata,
    Name,
    Phone,
    Reference,
    RequiredName,
)

# Built when first parsed: most functions read one of these shapes, and many none.
STRICT = ConfigDict(frozen=True, strict=True, hide_input_in_errors=True, defer_build=True)


class GuestData(BaseModel):
    """Who pays without signing in."""

    model_config = STRICT
    email: Email
    name: RequiredName
    phone: Phone | None = None


class Guest(BaseModel, frozen=True):
    """The same, as stored: read back without judging it again."""

    email: str
    name: str
    phone: str | None = None


class NewCustomer(BaseModel):
    """What a caller asks for. A user's missing fields come from the session or `guest_data`."""

    model_config = STRICT
    provider_id: ProviderId
    email: Email | None = None
    name: Name | None = None
    first_name: Name | None = None
    last_name: Name | None = None
    phone: Phone | None = None
    organization_id: Reference | None = None
    metadata: CheckedMetadata = {}
    guest_data: GuestData | None = None


class CustomerChange(BaseModel):
    """A partial update: only fields that were sent are in `model_fields_set`.

    The last four may only repeat what is stored (400 `immutable_field` otherwise).
    """

    model_config = STRICT
    email: Email | None = None
    name: Name | None = None
    first_name: Name | None = None
    last_name: Name | None = None
    phone: Phone | None = None
    metadata: CheckedMetadata | None = None
    id: str | None = None
    provider_id: str | None = None
    user_id: str | None = None
    organization_id: str | None = None


class Customer(BaseModel, frozen=True):
    """A customer we keep. `name_is_derived`: the name was made of first and last name."""

    id: str
    uid: str
    version: int = 1
    state: Literal["active", "deleted"] = "active"
    provider_id: ProviderId | None = None
    provider_customer_id: str | None = None
    email: str | None = Field(default=None, repr=False)
    name: str | None = Field(default=None, repr=False)
    name_is_derived: bool = False
    first_name: str | None = Field(default=None, repr=False)
    last_name: str | None = Field(default=None, repr=False)
    phone: str | None = Field(default=None, repr=False)
    user_id: str | None = None
    organization_id: str | None = None
    is_guest: bool = False
    default_method_id: str | None = None
    default_billing_address_id: str | None = None
    default_shipping_address_id: str | None = None
    metadata: Metadata = Field(default={}, repr=False)
    created_at: AwareDatetime
    updated_at: AwareDatetime
    deleted_at: AwareDatetime | None = None


class CustomerAnswered(BaseModel, frozen=True):
    """A customer just made, or told again for the client's key."""

    customer: Customer
    replayed: bool = False


def joined_name(first: str | None, last: str | None) -> str | None:
    """First and last name as one, or None where neither is given (B11)."""
    return " ".join(part for part in (first, last) if part) or None
