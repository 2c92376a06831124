"""Saved payment methods. Their provider tokens are in the table `secrets`.

Source: docs/data-model.md, sections 2 and 3.
"""

from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from bridge.models.customer import Customer
from bridge.models.idempotency import IdempotencyRecord
from bridge.models.job import Job
from bridge.models.model import present_values_of
from bridge.models.page import Page
from bridge.models.payment_method import PaymentMethod
from bridge.store import dynamodb, keys, pagination
from bridge.store.customers import customer_items
from bridge.store.dedupe import idempotency_items
from bridge.store.dynamodb import NOTHING_PREFETCHED, Actions, Item, Prefetched
from bridge.store.jobs import job_items
from bridge.store.wallet import wallet_items
from bridge.store.wallet.wallet_items import Kind

KIND = Kind(
    prefix="M#",
    owner=keys.method_owner,
    row=keys.method,
    of_organization=keys.organization_methods,
    pointer=keys.method_pointer,
)


class AlreadySaved(Exception):
    """The provider's token is already saved, as the method `method_id`."""

    def __init__(self, method_id: str) -> None:
        super().__init__(method_id)
        self.method_id = method_id


def item_of(method: PaymentMethod) -> Item:
    """Return the item of a method. Its token is never in it; `is_default` is on the customer."""
    return present_values_of(method, "is_default")


def method_from(
    item: Item | None, customer: Customer | None = None, secret: Item | None = None
) -> PaymentMethod | None:
    """Return the method in an item. `secret`: the item of its token, used unless it is deleted."""
    if item is None:
        return None
    is_default = customer is not None and customer.default_method_id == item["id"]
    token = secret["token"] if secret and item["state"] == "active" else None
    return msgspec.convert(item | {"is_default": is_default, "token": token}, PaymentMethod)


def get(
    method_id: str, prefetched: Prefetched = NOTHING_PREFETCHED
) -> tuple[PaymentMethod | None, Customer | None]:
    """Return a method with its token, and its customer, by the method's id alone; two reads."""
    secret = keys.method_token(method_id)
    item, customer, found = wallet_items.find(KIND, method_id, prefetched, secret)
    return method_from(item, customer, found[secret]), customer


def get_including_deleted(customer: Customer, method_id: str) -> PaymentMethod | None:
    """Return a method of a customer, also a deleted one, without its token."""
    return method_from(dynamodb.get(keys.method(customer.id, method_id)), customer)


def get_token(method_id: str) -> str | None:
    """Return the provider's token of a method."""
    item = dynamodb.get(keys.method_token(method_id))
    return str(item["token"]) if item else None


def find_saved(provider_id: str, token: str) -> str | None:
    """Return the id of the method with a provider's token, also of a deleted method."""
    item = dynamodb.get(keys.provider_method(provider_id, token))
    return str(item["id"]) if item else None


def get_at_provider(provider_id: str, token: str) -> tuple[PaymentMethod | None, Customer | None]:
    """Return the method with a provider's token, and its customer. The token is left out."""
    pointer = dynamodb.get(keys.provider_method(provider_id, token))
    if pointer is None:
        return None, None
    row = keys.method(pointer["customer_id"], pointer["id"])
    customer_key = keys.customer(pointer["customer_id"])
    found = dynamodb.get_all([row, customer_key])
    customer = customer_items.customer_from(found[customer_key])
    return method_from(found[row], customer), customer


def list_of_customer(customer: Customer, page: Page) -> list[PaymentMethod]:
    """Return a page of a customer's active methods with their tokens, newest first."""
    items = wallet_items.of_customer(KIND, customer.id)
    active = [(item, customer) for item in items if item["state"] == "active"]
    return _with_tokens(active[page.offset : page.offset + page.limit])


def list_active(customer: Customer) -> list[PaymentMethod]:
    """Return all active methods of a customer, newest first, without their tokens."""
    items = wallet_items.of_customer(KIND, customer.id)
    methods = [method_from(item, customer) for item in items if item["state"] == "active"]
    return [method for method in methods if method]


def get_of_customer(customer: Customer, method_id: str) -> PaymentMethod | None:
    """Return an active method of a customer, without its token."""
    item = dynamodb.get(keys.method(customer.id, method_id))
    is_active = item is not None and item["id"] == method_id and item["state"] == "active"
    return method_from(item, customer) if is_active else None


def list_of_user(user_id: str, page: Page) -> list[PaymentMethod]:
    """Return a page of a user's methods with their tokens, newest first."""
    return _with_tokens(wallet_items.of_user(KIND, user_id, page))


def list_of_organization(organization_id: str, page: Page) -> list[PaymentMethod]:
    """Return a page of an organization's methods with their tokens, newest first."""
    return _with_tokens(wallet_items.of_organization(KIND, organization_id, page))


def _with_tokens(records: list[tuple[Item, Customer]]) -> list[PaymentMethod]:
    secrets = dynamodb.get_all([keys.method_token(item["id"]) for item, _ in records])
    methods = [
        method_from(item, customer, secrets[keys.method_token(item["id"])])
        for item, customer in records
        if item["state"] == "active"
    ]
    return [method for method in methods if method]


def walk_customer(
    customer_id: str, after: str | None, limit: int
) -> tuple[list[PaymentMethod], str]:
    """Return a page of a customer's methods, also deleted ones, without their tokens.

    Also returns where the next page begins: "" at the end.
    """
    items, last = pagination.walk(keys.customer(customer_id).pk, "M#", after, limit)
    return [msgspec.convert(item, PaymentMethod) for item in items], last


def creation(method: PaymentMethod, customer: Customer) -> Actions:
    """Return the actions that save a method. It becomes the default if there is none."""
    default = customer_items.default_if_missing(customer.id, method.id)
    return {"default_method": default} | _creation(method, customer)


def _creation(method: PaymentMethod, customer: Customer) -> Actions:
    is_new = dynamodb.condition("attribute_not_exists(#pk)")
    secret = {
        "token": method.token,
        "customer_id": method.customer_id,
        "provider_id": method.provider_id,
    }
    by_token = {"id": method.id, "customer_id": method.customer_id}
    by_token_key = keys.provider_method(method.provider_id, method.token or "")
    row = keys.method(method.customer_id, method.id)
    actions = {
        "method": dynamodb.put(row, item_of(method), is_new),
        "owner": dynamodb.put(
            keys.method_owner(method.id), {"customer_id": method.customer_id}, is_new
        ),
        "token": dynamodb.put(keys.method_token(method.id), secret, is_new),
        "at_provider": dynamodb.put(by_token_key, by_token, is_new),
    }
    pointer = {"id": method.id, "provider_id": method.provider_id}
    for name, key in wallet_items.pointers(KIND, customer, method.uid).items():
        actions[name] = dynamodb.put(key, pointer)
    return actions


def insert(method: PaymentMethod, customer: Customer, record: IdempotencyRecord | None) -> None:
    """Save a method, and complete the idempotency record of its creation.

    `customer` is as it was read. The method becomes the default if there is none, or if
    `is_default` is set. Raises AlreadySaved, VersionConflict, Throttled.
    """
    is_default = method.is_default or customer.default_method_id is None
    default = method.id if is_default else customer.default_method_id
    customer_update = customer_items.defaults_update(customer, default_method_id=default)
    actions = {"customer": customer_update} | _creation(method, customer)
    if record:
        actions["record"] = idempotency_items.close_action(record)
    _transact(actions)


def _transact(actions: Actions) -> None:
    try:
        dynamodb.transact(actions)
    except dynamodb.ConditionFailed as failed:
        if "at_provider" in failed.items:
            raise AlreadySaved(str(failed.items["at_provider"]["id"])) from failed
        raise dynamodb.VersionConflict(str(failed)) from failed


def update(seen: PaymentMethod, after: PaymentMethod, customer: Customer) -> None:
    """Write what differs, and set or clear the default. `customer` is as it was read.

    Raises VersionConflict, Throttled.
    """
    active = dynamodb.condition("#state = :active", active="active")
    row = keys.method(seen.customer_id, seen.id)
    actions = {"method": dynamodb.change(row, item_of(seen), item_of(after), active)}
    if after.is_default != seen.is_default:
        default = after.id if after.is_default else None
        actions["customer"] = customer_items.defaults_update(customer, default_method_id=default)
    elif after.billing_address_id != seen.billing_address_id:
        # The address may be deleted at this moment. That raises the customer's version, so this
        # write fails then.
        actions["customer"] = customer_items.defaults_update(customer)
    _transact(actions)


def billing_address_removal(method: PaymentMethod, at: datetime) -> dict[str, Any]:
    """Return the action that removes a method's billing address, if it is still the same one."""
    is_same = dynamodb.condition(
        "#billing_address_id = :address AND #state = :active",
        address=method.billing_address_id,
        active="active",
    )
    after = replace(method, billing_address_id=None, updated_at=at)
    row = keys.method(method.customer_id, method.id)
    return dynamodb.change(row, item_of(method), item_of(after), is_same)


def remove_billing_address(method: PaymentMethod, at: datetime) -> None:
    """Remove a method's billing address in a transaction of its own.

    Raises VersionConflict, Throttled.
    """
    _transact({"method": billing_address_removal(method, at)})


def delete(
    seen: PaymentMethod, deleted: PaymentMethod, customer: Customer, default: str | None, job: Job
) -> None:
    """Mark a method deleted, remove it from all lists, and make `default` the default.

    `job` then detaches it at the provider, and deletes its token. `customer` is as it was read.
    Raises VersionConflict, Throttled.
    """
    active = dynamodb.condition("#state = :active", active="active")
    row = keys.method(seen.customer_id, seen.id)
    actions = {
        "customer": customer_items.defaults_update(customer, default_method_id=default),
        "method": dynamodb.change(row, item_of(seen), item_of(deleted), active),
        "job": job_items.creation(job),
    }
    for name, key in wallet_items.pointers(KIND, customer, seen.uid).items():
        actions[name] = dynamodb.delete(key)
    _transact(actions)


def forget(method: PaymentMethod, customer: Customer, at: datetime) -> None:
    """Delete a method's token and pointers. The method stays as deleted, so its id is not reused.

    It can be repeated safely. Raises Throttled.
    """
    row = keys.method(method.customer_id, method.id)
    deleted = replace(method, state="deleted", updated_at=at)
    exists = dynamodb.condition("attribute_exists(#pk)")
    actions = {
        "method": dynamodb.change(row, item_of(method), item_of(deleted), exists),
        "token": dynamodb.delete(keys.method_token(method.id)),
    }
    for name, key in wallet_items.pointers(KIND, customer, method.uid).items():
        actions[name] = dynamodb.delete(key)
    dynamodb.transact(actions)
