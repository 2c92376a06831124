"""Saved payment methods; their provider tokens are apart, in `secrets`. Source: data-model.md 2."""

from datetime import datetime
from typing import Any

from bridge.models.customer import Customer
from bridge.models.idempotency import IdempotencyRecord
from bridge.models.job import Job
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
    """The provider's token is a method of ours already."""

    def __init__(self, method_id: str) -> None:
        super().__init__(method_id)
        self.method_id = method_id


def item_of(method: PaymentMethod) -> Item:
    return method.model_dump(exclude_none=True, exclude={"is_default"})


def method_from(
    item: Item | None, customer: Customer | None = None, secret: Item | None = None
) -> PaymentMethod | None:
    """The method, with its token unless it is deleted."""
    if item is None:
        return None
    is_default = customer is not None and customer.default_method_id == item["id"]
    token = secret["token"] if secret and item["state"] == "active" else None
    return PaymentMethod.model_validate(item | {"is_default": is_default, "token": token})


def get(
    method_id: str, prefetched: Prefetched = NOTHING_PREFETCHED
) -> tuple[PaymentMethod | None, Customer | None]:
    """A method, found by its id alone, with its token and its customer; two reads."""
    secret = keys.method_token(method_id)
    item, customer, found = wallet_items.find(KIND, method_id, prefetched, secret)
    return method_from(item, customer, found[secret]), customer


def get_including_deleted(customer: Customer, method_id: str) -> PaymentMethod | None:
    """A method of a customer, also a deleted one, without its token."""
    return method_from(dynamodb.get(keys.method(customer.id, method_id)), customer)


def get_token(method_id: str) -> str | None:
    """The provider's token alone."""
    item = dynamodb.get(keys.method_token(method_id))
    return str(item["token"]) if item else None


def find_saved(provider_id: str, token: str) -> str | None:
    """The id of the method that a provider's token is, also of a deleted one."""
    item = dynamodb.get(keys.provider_method(provider_id, token))
    return str(item["id"]) if item else None


def get_at_provider(provider_id: str, token: str) -> tuple[PaymentMethod | None, Customer | None]:
    """The method that a provider's token is, without the token, and its customer."""
    named = dynamodb.get(keys.provider_method(provider_id, token))
    if named is None:
        return None, None
    row = keys.method(named["customer_id"], named["id"])
    holder = keys.customer(named["customer_id"])
    found = dynamodb.get_all([row, holder])
    customer = customer_items.customer_from(found[holder])
    return method_from(found[row], customer), customer


def list_of_customer(customer: Customer, page: Page) -> list[PaymentMethod]:
    """Newest first, as all lists are."""
    items = wallet_items.of_customer(KIND, customer.id)
    active = [(item, customer) for item in items if item["state"] == "active"]
    return _with_tokens(active[page.offset : page.offset + page.limit])


def list_active(customer: Customer) -> list[PaymentMethod]:
    """All of a customer's, newest first, without their tokens."""
    items = wallet_items.of_customer(KIND, customer.id)
    made = [method_from(item, customer) for item in items if item["state"] == "active"]
    return [method for method in made if method]


def get_of_customer(customer: Customer, method_id: str) -> PaymentMethod | None:
    """One that this customer has, without its token."""
    item = dynamodb.get(keys.method(customer.id, method_id))
    is_it = item is not None and item["id"] == method_id and item["state"] == "active"
    return method_from(item, customer) if is_it else None


def list_of_user(user_id: str, page: Page) -> list[PaymentMethod]:
    return _with_tokens(wallet_items.of_user(KIND, user_id, page))


def list_of_organization(organization_id: str, page: Page) -> list[PaymentMethod]:
    return _with_tokens(wallet_items.of_organization(KIND, organization_id, page))


def _with_tokens(records: list[tuple[Item, Customer]]) -> list[PaymentMethod]:
    secrets = dynamodb.get_all([keys.method_token(item["id"]) for item, _ in records])
    made = [
        method_from(item, customer, secrets[keys.method_token(item["id"])])
        for item, customer in records
        if item["state"] == "active"
    ]
    return [method for method in made if method]


def walk_customer(
    customer_id: str, after: str | None, limit: int
) -> tuple[list[PaymentMethod], str]:
    """A page of a customer's methods without their tokens, and where the next begins: "" at the
    end. Deleted ones are among them."""
    items, last = pagination.walk(keys.customer(customer_id).pk, "M#", after, limit)
    return [PaymentMethod.model_validate(item) for item in items], last


def creation(method: PaymentMethod, customer: Customer) -> Actions:
    """The writes that save a method; it becomes the default where there is none."""
    holder = customer_items.holding(customer.id, method.id)
    return {"holder": holder} | _creation(method, customer)


def _creation(method: PaymentMethod, customer: Customer) -> Actions:
    fresh = dynamodb.condition("attribute_not_exists(#pk)")
    secret = {
        "token": method.token,
        "customer_id": method.customer_id,
        "provider_id": method.provider_id,
    }
    named = {"id": method.id, "customer_id": method.customer_id}
    at_provider = keys.provider_method(method.provider_id, method.token or "")
    row = keys.method(method.customer_id, method.id)
    actions = {
        "method": dynamodb.put(row, item_of(method), fresh),
        "owner": dynamodb.put(
            keys.method_owner(method.id), {"customer_id": method.customer_id}, fresh
        ),
        "token": dynamodb.put(keys.method_token(method.id), secret, fresh),
        "at_provider": dynamodb.put(at_provider, named, fresh),
    }
    pointed = {"id": method.id, "provider_id": method.provider_id}
    for name, place in wallet_items.pointers(KIND, customer, method.uid).items():
        actions[name] = dynamodb.put(place, pointed)
    return actions


def insert(method: PaymentMethod, customer: Customer, record: IdempotencyRecord | None) -> None:
    """Save a method of a customer that is as it was seen, with the answer that its client's key
    stands for. It becomes the default where there is none, or where it asks to.

    Raises AlreadySaved, Outrun, Congested.
    """
    is_default = method.is_default or customer.default_method_id is None
    default = method.id if is_default else customer.default_method_id
    holder = customer_items.choosing(customer, default_method_id=default)
    actions = {"holder": holder} | _creation(method, customer)
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
    """Write what differs, and make it the default or no longer; `customer` is as it was seen.

    Raises Outrun, also where an address that it names may have gone, Congested.
    """
    active = dynamodb.condition("#state = :active", active="active")
    row = keys.method(seen.customer_id, seen.id)
    actions = {"method": dynamodb.change(row, item_of(seen), item_of(after), active)}
    if after.is_default != seen.is_default:
        default = after.id if after.is_default else None
        actions["holder"] = customer_items.choosing(customer, default_method_id=default)
    elif after.billing_address_id != seen.billing_address_id:
        actions["holder"] = customer_items.choosing(customer)
    _transact(actions)


def unbilling(method: PaymentMethod, at: datetime) -> dict[str, Any]:
    """The write that takes its billing address from a method, if it still is that one."""
    named = {"address": method.billing_address_id, "active": "active"}
    still = dynamodb.condition("#billing_address_id = :address AND #state = :active", **named)
    after = method.model_copy(update={"billing_address_id": None, "updated_at": at})
    row = keys.method(method.customer_id, method.id)
    return dynamodb.change(row, item_of(method), item_of(after), still)


def unbill(method: PaymentMethod, at: datetime) -> None:
    """The same by itself. Raises Outrun, Congested."""
    _transact({"method": unbilling(method, at)})


def delete(
    seen: PaymentMethod, deleted: PaymentMethod, customer: Customer, default: str | None, job: Job
) -> None:
    """Take a method from every list, promote `default`, leave the job that takes it from its
    provider and then forgets the token.

    Raises Outrun, Congested.
    """
    active = dynamodb.condition("#state = :active", active="active")
    row = keys.method(seen.customer_id, seen.id)
    actions = {
        "holder": customer_items.choosing(customer, default_method_id=default),
        "method": dynamodb.change(row, item_of(seen), item_of(deleted), active),
        "job": job_items.creation(job),
    }
    for name, place in wallet_items.pointers(KIND, customer, seen.uid).items():
        actions[name] = dynamodb.delete(place)
    _transact(actions)


def forget(method: PaymentMethod, customer: Customer, at: datetime) -> None:
    """Delete the token and the pointers, and keep the method as deleted, so that its id is nobody
    else's. Doing it again is harmless. Raises Congested."""
    row = keys.method(method.customer_id, method.id)
    gone = method.model_copy(update={"state": "deleted", "updated_at": at})
    there = dynamodb.condition("attribute_exists(#pk)")
    actions = {
        "method": dynamodb.change(row, item_of(method), item_of(gone), there),
        "token": dynamodb.delete(keys.method_token(method.id)),
    }
    for name, place in wallet_items.pointers(KIND, customer, method.uid).items():
        actions[name] = dynamodb.delete(place)
    dynamodb.transact(actions)
