"""Customers and their contacts. Source: docs/api/native.md, section 3."""

from collections.abc import Container
from typing import Annotated, Any, Literal, TypedDict

from msgspec.structs import replace

from bridge.models.field_rules import (
    FIXED,
    MADE,
    OURS,
    PROVIDERS,
    VISIBLE,
    FieldRule,
)
from bridge.models.model import PRIVATE, Model, Time
from bridge.models.provider import ProviderId


class Guest(Model, frozen=True, kw_only=True):
    """Guest data as stored. It was checked when it came in, so reading does not check it again."""

    email: Annotated[str, PRIVATE]
    name: Annotated[str, PRIVATE]
    phone: Annotated[str | None, PRIVATE] = None


class CustomerFields(TypedDict, total=False):
    """The fields that one of the other APIs writes. Its API adapter has checked them.

    A key that is missing was not sent; None clears a field. `address` has the keys country,
    address1, address2, city, region and zip, and any other key that the client sent.
    """

    email: str | None
    name: str | None
    first_name: str | None
    last_name: str | None
    phone: str | None
    language: str | None
    description: str | None
    external_id: str | None
    address: dict[str, Any] | None
    primary_address: dict[str, Any] | None
    metadata: dict[str, Any]
    custom_fields: dict[str, Any]
    default_method_id: str | None


# The rules of only a customer's fields:
_CONTACT = FieldRule(
    set_by="client", seen_by="caller", changes="any_time", at_provider=True, is_personal=True
)
# What only the other APIs write and show:
_OTHER = FieldRule(set_by="other_api", seen_by="other_api")
_OTHERS_TEXT = FieldRule(set_by="other_api", seen_by="other_api", is_personal=True)


class Customer(Model, frozen=True, kw_only=True):
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
    email: Annotated[str | None, _CONTACT] = None
    name: Annotated[str | None, _CONTACT] = None
    name_is_derived: Annotated[bool, OURS] = False
    first_name: Annotated[str | None, _CONTACT] = None
    last_name: Annotated[str | None, _CONTACT] = None
    phone: Annotated[str | None, _CONTACT] = None
    user_id: Annotated[str | None, MADE] = None
    organization_id: Annotated[str | None, FIXED] = None
    is_guest: Annotated[bool, VISIBLE] = False
    default_method_id: Annotated[str | None, _OTHER] = None
    default_billing_address_id: Annotated[str | None, OURS] = None
    default_shipping_address_id: Annotated[str | None, OURS] = None
    language: Annotated[str | None, _OTHER] = None
    description: Annotated[str | None, _OTHERS_TEXT] = None
    external_id: Annotated[str | None, _OTHER] = None
    claims_external_id: Annotated[bool, OURS] = False
    address: Annotated[dict[str, Any] | None, _OTHERS_TEXT] = None
    primary_address: Annotated[dict[str, Any] | None, _OTHERS_TEXT] = None
    metadata: Annotated[dict[str, Any], _CONTACT] = {}
    custom_fields: Annotated[dict[str, Any], _OTHERS_TEXT] = {}
    shard: Annotated[int, OURS] = 0
    created_at: Annotated[Time, VISIBLE]
    updated_at: Annotated[Time, VISIBLE]
    deleted_at: Annotated[Time | None, OURS] = None


class CustomerResult(Model, frozen=True, kw_only=True):
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
        return replace(after, name_is_derived=False)
    if ("first_name" in given or "last_name" in given) and (seen.name_is_derived or not seen.name):
        joined = joined_name(after.first_name, after.last_name)
        derived = {"name": joined, "name_is_derived": joined is not None}
        return replace(after, **derived)
    return after


class CustomerUser(Model, frozen=True, kw_only=True):
    """A stored contact of a customer."""

    id: str
    customer_id: str
    email: Annotated[str | None, PRIVATE] = None
    first_name: Annotated[str | None, PRIVATE] = None
    last_name: Annotated[str | None, PRIVATE] = None
    job_title: Annotated[str | None, PRIVATE] = None
    phone: Annotated[str | None, PRIVATE] = None
    created_at: Time
