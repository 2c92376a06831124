"""Addresses of a customer. Source: docs/api/native.md, section 5."""

from typing import Annotated, Literal

from bridge.models.field_rules import (
    FIXED,
    MADE,
    OURS,
    OWN,
    TEXT,
    VISIBLE,
)
from bridge.models.model import Model, Time

AddressType = Literal["billing", "shipping"]


class Address(Model, frozen=True, kw_only=True):
    """A stored address. `is_default` comes from the customer's item: at most one of each type."""

    id: Annotated[str, MADE]
    uid: Annotated[str, OURS]
    customer_id: Annotated[str, FIXED]
    type: Annotated[AddressType, OWN]
    name: Annotated[str | None, TEXT] = None
    line1: Annotated[str, TEXT]
    line2: Annotated[str | None, TEXT] = None
    city: Annotated[str, TEXT]
    state: Annotated[str | None, TEXT] = None
    postal_code: Annotated[str | None, TEXT] = None
    country: Annotated[str, OWN]
    is_default: Annotated[bool, OWN] = False
    created_at: Annotated[Time, VISIBLE]
    updated_at: Annotated[Time, VISIBLE]


class AddressResult(Model, frozen=True, kw_only=True):
    """A created address. `replayed`: it is the stored response of the same idempotency key."""

    address: Address
    replayed: bool = False
