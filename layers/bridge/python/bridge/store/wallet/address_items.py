"""Addresses of customers. Source: design/data-model.md 2."""

from datetime import datetime

from bridge.models.address import Address, AddressType
from bridge.models.customer import Customer
from bridge.models.idempotency import IdempotencyRecord
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
    return address.model_dump(exclude_none=True, exclude={"is_default"})


def address_from(item: Item | None, customer: Customer | None) -> Address | None:
    if item is None or customer is None:
        return None
    return Address.model_validate(
        item | {"is_default": default(customer, item["type"]) == item["id"]}
    )


def default(customer: Customer, kind: AddressType) -> str | None:
    """The id of the customer's default address of a type."""
    return {
        "billing": customer.default_billing_address_id,
        "shipping": customer.default_shipping_address_id,
    }[kind]


def get(
    address_id: str, prefetched: Prefetched = NOTHING_PREFETCHED
) -> tuple[Address | None, Customer | None]:
    """An address, found by its id alone, with its customer; two reads."""
    item, customer, _ = wallet_items.find(KIND, address_id, prefetched)
    return address_from(item, customer), customer


def get_of_customer(customer: Customer, address_ids: list[str]) -> dict[str, Address]:
    """Those of a customer's addresses that are there, by their ids; one read."""
    rows = {each: keys.address(customer.id, each) for each in address_ids}
    found = dynamodb.get_all(rows.values())
    made = [address_from(found[row], customer) for row in rows.values()]
    return {address.id: address for address in made if address}


def list_of_customer(customer: Customer, page: Page) -> list[Address]:
    """Newest first, as all lists are."""
    items = wallet_items.of_customer(KIND, customer.id)
    return _made([(item, customer) for item in items[page.offset : page.offset + page.limit]])


def list_of_user(user_id: str, page: Page) -> list[Address]:
    return _made(wallet_items.of_user(KIND, user_id, page))


def list_of_organization(organization_id: str, page: Page) -> list[Address]:
    return _made(wallet_items.of_organization(KIND, organization_id, page))


def _made(records: list[tuple[Item, Customer]]) -> list[Address]:
    made = [address_from(item, customer) for item, customer in records]
    return [address for address in made if address]


def insert(address: Address, customer: Customer, record: IdempotencyRecord | None) -> None:
    """Write an address of a customer that is as it was seen, and the answer that its client's key
    stands for. Raises Outrun, Congested."""
    fresh = dynamodb.condition("attribute_not_exists(#pk)")
    owner = {"customer_id": customer.id}
    actions = {
        "holder": customer_items.choosing(customer, **_defaults(customer, None, address)),
        "address": dynamodb.put(keys.address(customer.id, address.id), item_of(address), fresh),
        "owner": dynamodb.put(keys.address_owner(address.id), owner, fresh),
    }
    for name, place in wallet_items.pointers(KIND, customer, address.uid).items():
        listed = {"id": address.id, "provider_id": customer.provider_id}
        actions[name] = dynamodb.put(place, listed)
    if record:
        actions["record"] = idempotency_items.close_action(record)
    _transact(actions)


def update(seen: Address, after: Address, customer: Customer) -> None:
    """Write what differs, and make it the default of its type or no longer; `customer` is as it
    was seen. Raises Outrun, Congested."""
    there = dynamodb.condition("attribute_exists(#pk)")
    row = keys.address(customer.id, seen.id)
    actions = {"address": dynamodb.change(row, item_of(seen), item_of(after), there)}
    if (seen.type, seen.is_default) != (after.type, after.is_default):
        defaults = _defaults(customer, seen, after)
        actions["holder"] = customer_items.choosing(customer, **defaults)
    _transact(actions)


def delete(seen: Address, customer: Customer, billed: list[PaymentMethod], at: datetime) -> None:
    """Delete an address; those methods, which name it, then name none.

    Raises Outrun, Congested.
    """
    defaults = _defaults(customer, seen, None)
    holder = {"holder": customer_items.choosing(customer, **defaults)}
    unbilling = {method.id: method_items.unbilling(method, at) for method in billed}
    _transact(holder | _removal(seen, customer) | unbilling)


def forget_page(customer: Customer, limit: int) -> bool:
    """Delete so many addresses of a customer who is deleted; whether some may be left.

    Raises Congested.
    """
    items, last = pagination.walk(keys.customer(customer.id).pk, KIND.prefix, None, limit)
    for address in _made([(item, customer) for item in items]):
        dynamodb.transact(_removal(address, customer))
    return bool(last)


def _removal(address: Address, customer: Customer) -> Actions:
    actions = {
        "address": dynamodb.delete(keys.address(customer.id, address.id)),
        "owner": dynamodb.delete(keys.address_owner(address.id)),
    }
    for name, place in wallet_items.pointers(KIND, customer, address.uid).items():
        actions[name] = dynamodb.delete(place)
    return actions


def _defaults(
    customer: Customer, before: Address | None, after: Address | None
) -> dict[str, str | None]:
    """The customer's default addresses once one of them has changed."""
    named = {
        "default_billing_address_id": customer.default_billing_address_id,
        "default_shipping_address_id": customer.default_shipping_address_id,
    }
    if before and before.is_default:
        named[f"default_{before.type}_address_id"] = None
    if after and after.is_default:
        named[f"default_{after.type}_address_id"] = after.id
    return named


def _transact(actions: Actions) -> None:
    try:
        dynamodb.transact(actions)
    except dynamodb.ConditionFailed as failed:
        raise dynamodb.VersionConflict(str(failed)) from failed
