"""Customers and their contacts. Source: docs/api/native.md, section 3."""

from collections.abc import Container
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from bridge.models.field_rules import (
    FIXED,
    MADE,
    OURS,
    PROVIDERS,
    VISIBLE,
    FieldRule,
)
from bridge.models.provider import ProviderId
from bridge.models.text import (
    CheckedMetadata,
    Email,
    Name,
    Phone,
    Reference,
    RequiredName,
    StoredJson,
)

# `defer_build`: a validator is built at its first use. Most functions use one of these models or
# none, so this shortens the cold start.
STRICT = ConfigDict(frozen=True, strict=True, hide_input_in_errors=True, defer_build=True)


class GuestData(BaseModel):
    """The data of a person who pays without signing in, as a request has it (B8)."""

    model_config = STRICT
    email: Email
    name: RequiredName
    phone: Phone | None = None


class Guest(BaseModel, frozen=True):
    """Guest data as stored. It was checked when it came in, so reading does not check it again."""

    email: str
    name: str
    phone: str | None = None


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


class CustomerFields(BaseModel, frozen=True):
    """The fields that one of the other APIs writes. Its API adapter has checked them.

    `model_fields_set` holds only the fields that were sent; None clears a field. `address` has the
    keys country, address1, address2, city, region and zip, and any other key that the client sent.
    """

    email: str | None = None
    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    language: str | None = None
    description: str | None = None
    external_id: str | None = None
    address: dict[str, Any] | None = None
    primary_address: dict[str, Any] | None = None
    metadata: dict[str, Any] = {}
    custom_fields: dict[str, Any] = {}
    default_method_id: str | None = None


# The rules of only a customer's fields:
_CONTACT = FieldRule(
    set_by="client", seen_by="caller", changes="any_time", at_provider=True, is_personal=True
)
# What only the other APIs write and show:
_OTHER = FieldRule(set_by="other_api", seen_by="other_api")
_OTHERS_TEXT = FieldRule(set_by="other_api", seen_by="other_api", is_personal=True)


class Customer(BaseModel, frozen=True):
    """A stored customer.

    `name_is_derived`: the name was made of first and last name. `shard`: the partition of the
    organization in which the customer is listed. `external_id`: the merchant's id of the customer.
    `claims_external_id`: the customer is found by that id.
    Source: docs/data-model.md, section 2.2.
    """

    id: Annotated[str, MADE]
    uid: Annotated[str, OURS]
    version: Annotated[int, OURS] = 1
    state: Annotated[Literal["active", "deleted"], OURS] = "active"
    provider_id: Annotated[ProviderId | None, FIXED] = None
    provider_customer_id: Annotated[str | None, PROVIDERS] = None
    email: Annotated[str | None, _CONTACT] = Field(default=None, repr=False)
    name: Annotated[str | None, _CONTACT] = Field(default=None, repr=False)
    name_is_derived: Annotated[bool, OURS] = False
    first_name: Annotated[str | None, _CONTACT] = Field(default=None, repr=False)
    last_name: Annotated[str | None, _CONTACT] = Field(default=None, repr=False)
    phone: Annotated[str | None, _CONTACT] = Field(default=None, repr=False)
    user_id: Annotated[str | None, MADE] = None
    organization_id: Annotated[str | None, FIXED] = None
    is_guest: Annotated[bool, VISIBLE] = False
    default_method_id: Annotated[str | None, _OTHER] = None
    default_billing_address_id: Annotated[str | None, OURS] = None
    default_shipping_address_id: Annotated[str | None, OURS] = None
    language: Annotated[str | None, _OTHER] = None
    description: Annotated[str | None, _OTHERS_TEXT] = Field(default=None, repr=False)
    external_id: Annotated[str | None, _OTHER] = None
    claims_external_id: Annotated[bool, OURS] = False
    address: Annotated[StoredJson | None, _OTHERS_TEXT] = Field(default=None, repr=False)
    primary_address: Annotated[StoredJson | None, _OTHERS_TEXT] = Field(default=None, repr=False)
    metadata: Annotated[StoredJson, _CONTACT] = Field(default={}, repr=False)
    custom_fields: Annotated[StoredJson, _OTHERS_TEXT] = Field(default={}, repr=False)
    shard: Annotated[int, OURS] = 0
    created_at: Annotated[AwareDatetime, VISIBLE]
    updated_at: Annotated[AwareDatetime, VISIBLE]
    deleted_at: Annotated[AwareDatetime | None, OURS] = None


class CustomerResult(BaseModel, frozen=True):
    """A created customer. `replayed`: it is the stored response of the same idempotency key."""

    customer: Customer
    replayed: bool = False


def joined_name(first: str | None, last: str | None) -> str | None:
    """Return first and last name as one text; None if both are missing (B11)."""
    return " ".join(part for part in (first, last) if part) or None


def renamed(seen: Customer, after: Customer, given: Container[str]) -> Customer:
    """Return `after` with its name made again, if the written fields require it.

    `given`: the fields that were written. A name that a caller wrote stays. A derived or missing
    name is made of first and last name whenever one of those is written.
    Source: docs/data-model.md, section 2.4.
    """
    if "name" in given:
        return after.model_copy(update={"name_is_derived": False})
    if ("first_name" in given or "last_name" in given) and (seen.name_is_derived or not seen.name):
        joined = joined_name(after.first_name, after.last_name)
        derived = {"name": joined, "name_is_derived": joined is not None}
        return after.model_copy(update=derived)
    return after


class NewCustomerUser(BaseModel):
    """The request to add a contact: a person at a customer. It is not one of our users.

    Alternative Payments calls contacts users of a customer.
    """

    model_config = STRICT
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    job_title: str | None = None
    phone: str | None = None


class CustomerUser(BaseModel, frozen=True):
    """A stored contact of a customer."""

    id: str
    customer_id: str
    email: str | None = Field(default=None, repr=False)
    first_name: str | None = Field(default=None, repr=False)
    last_name: str | None = Field(default=None, repr=False)
    job_title: str | None = Field(default=None, repr=False)
    phone: str | None = Field(default=None, repr=False)
    created_at: AwareDatetime
