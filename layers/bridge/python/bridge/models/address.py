"""Addresses of a customer. Source: contracts/bridge.md section 5."""

from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field

from bridge.models.customer import STRICT
from bridge.models.provider import ProviderId
from bridge.models.text import Name, Reference, RequiredName, Short

AddressType = Literal["billing", "shipping"]


def _country(value: str) -> str:
    from iso3166 import countries_by_alpha2  # what only reads needs no table

    if (code := value.strip().upper()) not in countries_by_alpha2:
        raise ValueError("must be an ISO 3166-1 alpha-2 code")
    return code


Country = Annotated[str, AfterValidator(_country)]


class NewAddress(BaseModel):
    """What a caller asks for. Without a customer it is the caller's own at that provider (B18)."""

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
    """A partial update. The last two may only repeat what is stored (else `immutable_field`)."""

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
    """An address that is kept. `is_default` is what the customer's item says: at most one of a
    type."""

    id: str
    uid: str
    customer_id: str
    type: AddressType
    name: str | None = Field(default=None, repr=False)
    line1: str = Field(repr=False)
    line2: str | None = Field(default=None, repr=False)
    city: str = Field(repr=False)
    state: str | None = Field(default=None, repr=False)
    postal_code: str | None = Field(default=None, repr=False)
    country: str
    is_default: bool = False
    created_at: AwareDatetime
    updated_at: AwareDatetime


class AddressResult(BaseModel, frozen=True):
    """An address just made, or told again for the client's key."""

    address: Address
    replayed: bool = False
