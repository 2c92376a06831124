"""Bodies of requests about addresses. Source: docs/api/native.md, section 5."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel

from bridge.bodies.fields import STRICT, Name, Reference, RequiredName, Short
from bridge.models.address import AddressType
from bridge.models.provider import ProviderId


def _country(value: str) -> str:
    from iso3166 import countries_by_alpha2  # only addresses need it

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
