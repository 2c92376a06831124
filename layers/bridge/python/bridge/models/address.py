"""Addresses of a customer. Source: docs/api/native.md, section 5."""

from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field

from bridge.models.customer import STRICT
from bridge.models.field_rules import (
    FIXED,
    MADE,
    OURS,
    OWN,
    TEXT,
    VISIBLE,
)
from bridge.models.provider import ProviderId
from bridge.models.text import Name, Reference, RequiredName, Short

AddressType = Literal["billing", "shipping"]


def _country(value: str) -> str:
    from iso3166 import countries_by_alpha2  # functions that only read do not load it

    if (code := value.strip().upper()) not in countries_by_alpha2:
        raise ValueError("must be an ISO 3166-1 alpha-2 code")
    return code


Country = Annotated[str, AfterValidator(_country)]


class NewAddress(BaseModel):
    """The request to create an address.

    Without `customer_id` it belongs to the caller's own customer at that provider (B18).
    """

    model_config = STRICT
    customer_id: Reference | None = None
    organization_id: Reference | None = None
    provider_id: ProviderId = "stripe"
    type: AddressType = "billing"
    name: Name | None = None
    line1: RequiredName
    line2: Name | None = None
    city: RequiredName
    state: Name | None = None
    postal_code: Short | None = None
    country: Country
    is_default: bool = False


class AddressChange(BaseModel):
    """The request to change an address: only the fields that were sent.

    `id` and `customer_id` may repeat the stored value; another value is a 400 `immutable_field`.
    """

    model_config = STRICT
    type: AddressType | None = None
    name: Name | None = None
    line1: RequiredName | None = None
    line2: Name | None = None
    city: RequiredName | None = None
    state: Name | None = None
    postal_code: Short | None = None
    country: Country | None = None
    is_default: bool | None = None
    id: str | None = None
    customer_id: str | None = None


class Address(BaseModel, frozen=True):
    """A stored address. `is_default` comes from the customer's item: at most one of each type."""

    id: Annotated[str, MADE]
    uid: Annotated[str, OURS]
    customer_id: Annotated[str, FIXED]
    type: Annotated[AddressType, OWN]
    name: Annotated[str | None, TEXT] = Field(default=None, repr=False)
    line1: Annotated[str, TEXT] = Field(repr=False)
    line2: Annotated[str | None, TEXT] = Field(default=None, repr=False)
    city: Annotated[str, TEXT] = Field(repr=False)
    state: Annotated[str | None, TEXT] = Field(default=None, repr=False)
    postal_code: Annotated[str | None, TEXT] = Field(default=None, repr=False)
    country: Annotated[str, OWN]
    is_default: Annotated[bool, OWN] = False
    created_at: Annotated[AwareDatetime, VISIBLE]
    updated_at: Annotated[AwareDatetime, VISIBLE]


class AddressResult(BaseModel, frozen=True):
    """A created address. `replayed`: it is the stored response of the same idempotency key."""

    address: Address
    replayed: bool = False
