"""Bodies of requests about customers. Source: docs/api/native.md, section 3."""

from pydantic import BaseModel

from bridge.bodies.fields import (
    STRICT,
    CheckedMetadata,
    Email,
    Name,
    Phone,
    Reference,
    RequiredName,
)
from bridge.models.provider import ProviderId


class GuestData(BaseModel):
    """The data of a person who pays without signing in, as a request has it (B8)."""

    model_config = STRICT
    email: Email
    name: RequiredName
    phone: Phone | None = None


class NewCustomer(BaseModel):
    """The request to create a customer by the native API.

    A user's missing fields come from the session or from `guest_data`.
    """

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
    """The request to change a customer. `model_fields_set` holds only the fields that were sent.

    The last four fields cannot change. They may repeat the stored value; another value is a 400
    `immutable_field`.
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
