"""Customers. Source: native API, "Customers API"; contracts/bridge.md section 3."""

from collections.abc import Container
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

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


class CustomerFields(BaseModel, frozen=True):
    """What another API writes of a customer, judged by its own rules already.

    Only what was sent is in `model_fields_set`; None clears. `address` has the keys country,
    address1, address2, city, region and zip, and whatever else its caller put there.
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


class Customer(BaseModel, frozen=True):
    """A customer we keep. `name_is_derived`: the name was made of first and last name.

    `shard`: which of its organization's partitions lists it. `external_id`: the caller's own name
    of it; `claims_external_id`: it is found by that name. Source: design/data-model.md 2.
    """

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
    language: str | None = None
    description: str | None = Field(default=None, repr=False)
    external_id: str | None = None
    claims_external_id: bool = False
    address: StoredJson | None = Field(default=None, repr=False)
    primary_address: StoredJson | None = Field(default=None, repr=False)
    metadata: StoredJson = Field(default={}, repr=False)
    custom_fields: StoredJson = Field(default={}, repr=False)
    shard: int = 0
    created_at: AwareDatetime
    updated_at: AwareDatetime
    deleted_at: AwareDatetime | None = None


class CustomerResult(BaseModel, frozen=True):
    """A customer just made, or told again for the client's key."""

    customer: Customer
    replayed: bool = False


def joined_name(first: str | None, last: str | None) -> str | None:
    """First and last name as one, or None where neither is given (B11)."""
    return " ".join(part for part in (first, last) if part) or None


def renamed(seen: Customer, after: Customer, given: Container[str]) -> Customer:
    """`after`, of which the fields in `given` were written, with the name that it then has.

    A name that somebody wrote stays; one that was made of first and last, or is missing, follows
    them when they are written, and only then. Source: design/data-model.md 2.
    """
    if "name" in given:
        return after.model_copy(update={"name_is_derived": False})
    if ("first_name" in given or "last_name" in given) and (seen.name_is_derived or not seen.name):
        joined = joined_name(after.first_name, after.last_name)
        derived = {"name": joined, "name_is_derived": joined is not None}
        return after.model_copy(update=derived)
    return after


class NewCustomerUser(BaseModel):
    """A person at a customer's, as Alternative Payments knows them: no user of ours."""

    model_config = STRICT
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    job_title: str | None = None
    phone: str | None = None


class CustomerUser(BaseModel, frozen=True):
    """The same, as stored."""

    id: str
    customer_id: str
    email: str | None = Field(default=None, repr=False)
    first_name: str | None = Field(default=None, repr=False)
    last_name: str | None = Field(default=None, repr=False)
    job_title: str | None = Field(default=None, repr=False)
    phone: str | None = Field(default=None, repr=False)
    created_at: AwareDatetime
