"""Addresses of customers. Source: docs/data-model.md, sections 2 and 3."""

from datetime import datetime

import msgspec

from bridge.models.address import Address, AddressType
from bridge.models.customer import Customer
from bridge.models.idempotency import IdempotencyRecord
from bridge.models.model import present_values_of
from bridge.models.page import Page
from bridge.models.payment_method import PaymentMethod
from bridge.store import dynamodb, keys, pagination
from bridge.store.customers import customer_items
from bridge.store.dedupe import idempotency_items
from bridge.store.dynamodb import NOTHING_PREFETCHED, Actions, Item, Prefetched
from bridge.store.wallet import method_items, wallet_items
from bridge.store.wallet.wallet_items import Kind

KIND = Kind(
    prefix="A#",
    owner=keys.address_owner,
    row=keys.address,
    of_organization=keys.organization_addresses,
    pointer=keys.address_pointer,
)


def item_of(address: Address) -> Item:
    """Return the item of an address. `is_default` is stored on the customer."""
    return present_values_of(address, "is_default")


def address_from(item: Item | None, customer: Customer | None) -> Address | None:
    """Return the address in an item; None if the item or its customer is missing."""
    if item is None or customer is None:
        return None
    return msgspec.convert(
        item | {"is_default": default(customer, item["type"]) == item["id"]}, Address
    )


def default(customer: Customer, kind: AddressType) -> str | None:
    """Return the id of the customer's default address of a type."""
    return {
        "billing": customer.default_billing_address_id,
        "shipping": customer.default_shipping_address_id,
    }[kind]


def get(
    address_id: str, prefetched: Prefetched = NOTHING_PREFETCHED
) -> tuple[Address | None, Customer | None]:
    """Return an address and its customer, found by the address's id alone; two reads."""
    item, customer, _ = wallet_items.find(KIND, address_id, prefetched)
    return address_from(item, customer), customer


def get_of_customer(customer: Customer, address_ids: list[str]) -> dict[str, Address]:
    """Return the customer's addresses that exist, by their ids; one read."""
    rows = {each: keys.address(customer.id, each) for each in address_ids}
    found = dynamodb.get_all(rows.values())
    addresses = [address_from(found[row], customer) for row in rows.values()]
    return {address.id: address for address in addresses if address}


def list_of_customer(customer: Customer, page: Page) -> list[Address]:
    """Return a page of a customer's addresses, newest first."""
    items = wallet_items.of_customer(KIND, customer.id)
    return _addresses([(item, customer) for item in items[page.offset : page.offset + page.limit]])


def list_of_user(user_id: str, page: Page) -> list[Address]:
    """Return a page of a user's addresses, newest first."""
    return _addresses(wallet_items.of_user(KIND, user_id, page))


def list_of_organization(organization_id: str, page: Page) -> list[Address]:
    """Return a page of an organization's addresses, newest first."""
    return _addresses(wallet_items.of_organization(KIND, organization_id, page))


def _addresses(records: list[tuple[Item, Customer]]) -> list[Address]:
    addresses = [address_from(item, customer) for item, customer in records]
    return [address for address in addresses if address]


def insert(address: Address, customer: Customer, record: IdempotencyRecord | None) -> None:
    """Write a new address, and complete the idempotency record of its creation.

    `customer` is as it was read. Raises VersionConflict, Throttled.
    """
    is_new = dynamodb.condition("attribute_not_exists(#pk)")
    owner = {"customer_id": customer.id}
    defaults = _defaults(customer, None, address)
    actions = {
        "customer": customer_items.defaults_update(customer, **defaults),
        "address": dynamodb.put(keys.address(customer.id, address.id), item_of(address), is_new),
        "owner": dynamodb.put(keys.address_owner(address.id), owner, is_new),
    }
    for name, key in wallet_items.pointers(KIND, customer, address.uid).items():
        pointer = {"id": address.id, "provider_id": customer.provider_id}
        actions[name] = dynamodb.put(key, pointer)
    if record:
        actions["record"] = idempotency_items.close_action(record)
    _transact(actions)


def update(seen: Address, after: Address, customer: Customer) -> None:
    """Write what differs, and set or clear the default of its type.

    `customer` is as it was read. Raises VersionConflict, Throttled.
    """
    exists = dynamodb.condition("attribute_exists(#pk)")
    row = keys.address(customer.id, seen.id)
    actions = {"address": dynamodb.change(row, item_of(seen), item_of(after), exists)}
    if (seen.type, seen.is_default) != (after.type, after.is_default):
        defaults = _defaults(customer, seen, after)
        actions["customer"] = customer_items.defaults_update(customer, **defaults)
    _transact(actions)


def delete(seen: Address, customer: Customer, billed: list[PaymentMethod], at: datetime) -> None:
    """Delete an address, and remove it from the methods in `billed`, which use it.

    `customer` is as it was read. Raises VersionConflict, Throttled.
    """
    defaults = _defaults(customer, seen, None)
    actions = {"customer": customer_items.defaults_update(customer, **defaults)}
    changes = {method.id: method_items.billing_address_removal(method, at) for method in billed}
    _transact(actions | _deletion(seen, customer) | changes)


def forget_page(customer: Customer, limit: int) -> bool:
    """Delete at most `limit` addresses of a deleted customer. Returns whether some may be left.

    Raises Throttled.
    """
    items, last = pagination.walk(keys.customer(customer.id).pk, KIND.prefix, None, limit)
    for address in _addresses([(item, customer) for item in items]):
        dynamodb.transact(_deletion(address, customer))
    return bool(last)


def _deletion(address: Address, customer: Customer) -> Actions:
    actions = {
        "address": dynamodb.delete(keys.address(customer.id, address.id)),
        "owner": dynamodb.delete(keys.address_owner(address.id)),
    }
    for name, key in wallet_items.pointers(KIND, customer, address.uid).items():
        actions[name] = dynamodb.delete(key)
    return actions


def _defaults(
    customer: Customer, before: Address | None, after: Address | None
) -> dict[str, str | None]:
    """Return the customer's default addresses after the change of one address."""
    defaults = {
        "default_billing_address_id": customer.default_billing_address_id,
        "default_shipping_address_id": customer.default_shipping_address_id,
    }
    if before and before.is_default:
        defaults[f"default_{before.type}_address_id"] = None
    if after and after.is_default:
        defaults[f"default_{after.type}_address_id"] = after.id
    return defaults


def _transact(actions: Actions) -> None:
    try:
        dynamodb.transact(actions)
    except dynamodb.ConditionFailed as failed:
        raise dynamodb.VersionConflict(str(failed)) from failed
