"""Customers: the item, its pointers, and the transactions that keep them together.

Source: design/data-model.md 2, 3 and 6.
"""

import random
import unicodedata
from itertools import islice
from typing import Any, NamedTuple

from bridge.models.customer import Customer, joined_name
from bridge.models.idempotency import IdempotencyRecord
from bridge.models.job import Job
from bridge.models.page import Page
from bridge.store import dynamodb, keys, pagination
from bridge.store.dedupe import idempotency_items
from bridge.store.dynamodb import NOTHING_PREFETCHED, Actions, Item, Prefetched
from bridge.store.jobs import job_items
from bridge.store.keys import Key

COUNTER_PARTS = 8


class ExternalIdTaken(Exception):
    """Another customer of the organization is found by this external id."""


class NotAutomatic(dynamodb.VersionConflict):
    """The automatic item does not say of this customer what was expected."""


def item_of(customer: Customer) -> Item:
    return customer.model_dump(exclude_none=True)


def customer_from(item: Item | None) -> Customer | None:
    return Customer.model_validate(item) if item else None


def get(customer_id: str, prefetched: Prefetched = NOTHING_PREFETCHED) -> Customer | None:
    key = keys.customer(customer_id)
    customer = customer_from(dynamodb.get_all([key], prefetched)[key])
    return customer if customer and customer.id == customer_id else None  # keys drop the prefix


def list_by_id(customer_ids: list[str]) -> list[Customer]:
    """Customers in the order asked for; one that is gone is left out."""
    found = dynamodb.get_all([keys.customer(each) for each in customer_ids])
    listed = [customer_from(found[keys.customer(each)]) for each in customer_ids]
    return [customer for customer in listed if customer]


def list_of_user(user_id: str, page: Page) -> list[Customer]:
    """Newest first, as all lists are."""
    only = pagination.Filter({"provider_id": page.provider_id})
    every = pagination.everything("C#")
    ids = pagination.list_ids(
        [keys.user(user_id)], every, limit=page.limit, offset=page.offset, only=only
    )
    return list_by_id(ids) if ids else []


def get_claimed(organization_id: str, external_id: str) -> Customer | None:
    """The customer that is found by this external id."""
    claim = dynamodb.get(keys.external_id(organization_id, external_id))
    return get(str(claim["customer_id"])) if claim else None


class Own(NamedTuple):
    """The caller's own customer at a provider. `is_claimed`: the automatic item names it."""

    customer_id: str
    provider_customer_id: str
    is_claimed: bool


def find_own(user_id: str, provider_id: str, organization_id: str | None) -> Own | None:
    """The first customer a user made at a provider, in that organization or in none (B18).

    One query finds the automatic item, and behind it the oldest customers for where it is missing.
    """
    automatic = keys.automatic_customer(user_id, provider_id, organization_id)
    items = list(islice(dynamodb.query_between(automatic.pk, automatic.sk, "C$", Limit=50), 50))
    for item in items:
        if item["sk"] == automatic.sk:
            return Own(item["customer_id"], item["provider_customer_id"], is_claimed=True)
    ids = [item["id"] for item in items if item.get("provider_id") == provider_id and "id" in item]
    for customer in list_by_id(ids) if ids else []:
        if customer.organization_id == organization_id and customer.provider_customer_id:
            return Own(customer.id, customer.provider_customer_id, is_claimed=False)
    return None


def fold(text: str) -> str:
    """The spelling under which names and e-mails are searched. Source: data-model.md 5."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _pointers(customer: Customer) -> Actions:
    item = {"id": customer.id, "provider_id": customer.provider_id}
    actions = {}
    if customer.user_id:
        pointer = keys.customer_pointer(keys.user(customer.user_id), customer.uid)
        actions["customer_of_user"] = dynamodb.put(pointer, item)
    if customer.is_guest and customer.email:
        pointer = keys.customer_pointer(keys.guest(customer.email), customer.uid)
        actions["customer_of_guest"] = dynamodb.put(pointer, item)
    if customer.organization_id:
        actions["customer_of_organization"] = _organization_pointer(
            customer, customer.organization_id
        )
    return actions


def _organization_pointer(customer: Customer, organization_id: str) -> dict[str, Any]:
    texts = [customer.name, customer.first_name, customer.last_name, customer.email]
    if customer.first_name and customer.last_name and not customer.name_is_derived:
        texts.append(joined_name(customer.first_name, customer.last_name))
    search = "\x1f".join(fold(text or "") for text in texts)
    partition = keys.organization_customers(organization_id, customer.shard)
    return dynamodb.put(
        keys.customer_pointer(partition, customer.uid),
        {
            "id": customer.id,
            "provider_id": customer.provider_id,
            "search": search,
            "search_name": fold(customer.name or ""),
        },
    )


def _count(customer: Customer, organization_id: str, amount: int) -> dict[str, Any]:
    month = f"{customer.created_at:%Y-%m}"
    part = random.randrange(COUNTER_PARTS)
    return dynamodb.add(keys.customer_counter(organization_id, month, part), amount)


def _automatic(customer: Customer, guard: dict[str, Any] | None) -> Actions:
    if not customer.user_id or not customer.provider_id:
        return {}
    key = keys.automatic_customer(customer.user_id, customer.provider_id, customer.organization_id)
    item = {"customer_id": customer.id, "provider_customer_id": customer.provider_customer_id}
    return {"automatic": dynamodb.put(key, item, guard) if guard else dynamodb.first(key, item)}


def creation(customer: Customer, *, as_own: bool) -> Actions:
    """The writes that make a customer.

    `as_own`: it is made because its caller has none at the provider; the transaction fails at
    "automatic" when somebody made one first.
    """
    fresh = dynamodb.condition("attribute_not_exists(#pk)")
    actions = {"customer": dynamodb.put(keys.customer(customer.id), item_of(customer), fresh)}
    actions |= _pointers(customer) | _automatic(customer, fresh if as_own else None)
    if customer.claims_external_id:
        actions["external_id"] = _claim(customer)
    if customer.organization_id:
        actions["counter"] = _count(customer, customer.organization_id, 1)
    return actions


def _external_id(customer: Customer) -> Key:
    return keys.external_id(customer.organization_id or "", customer.external_id or "")


def _claim(customer: Customer) -> dict[str, Any]:
    free = dynamodb.condition("attribute_not_exists(#pk)")
    return dynamodb.put(_external_id(customer), {"customer_id": customer.id}, free)


def _claims(seen: Customer, after: Customer) -> Actions:
    """Let the old external id go and claim the new one, where they differ."""
    claimed = _external_id(seen) if seen.claims_external_id else None
    claimed_next = _external_id(after) if after.claims_external_id else None
    actions: Actions = {}
    if claimed != claimed_next:
        actions |= {"let_go": dynamodb.delete(claimed)} if claimed else {}
        actions |= {"external_id": _claim(after)} if claimed_next else {}
    return actions


def lives(customer_id: str) -> Actions:
    """A check that the customer has not been deleted."""
    guard = dynamodb.condition("#state = :active", active="active")
    return {"customer_lives": dynamodb.check(keys.customer(customer_id), guard)}


def claiming(own: Own, user_id: str, provider_id: str, organization_id: str | None) -> Actions:
    """A check that the caller's own customer lives; its automatic item is repaired if missing."""
    if own.is_claimed:
        return lives(own.customer_id)
    key = keys.automatic_customer(user_id, provider_id, organization_id)
    item = {"customer_id": own.customer_id, "provider_customer_id": own.provider_customer_id}
    return lives(own.customer_id) | {"automatic": dynamodb.first(key, item)}


def linking(seen: Customer, linked: Customer) -> Actions:
    """The writes that give a customer of another API its place at a provider, once: from then on
    its organization's list has it under that provider, too."""
    guard = dynamodb.condition(
        "#state = :active AND attribute_not_exists(#provider_customer_id)", active="active"
    )
    row = keys.customer(seen.id)
    actions = {"customer_linked": dynamodb.change(row, item_of(seen), item_of(linked), guard)}
    if seen.organization_id and seen.provider_id != linked.provider_id:
        partition = keys.organization_customers(seen.organization_id, seen.shard)
        listed = dynamodb.condition("attribute_exists(#pk)")
        actions["customer_listed"] = dynamodb.change(
            keys.customer_pointer(partition, seen.uid),
            {"provider_id": seen.provider_id},
            {"provider_id": linked.provider_id},
            listed,
        )
    return actions


def choosing(seen: Customer, **defaults: str | None) -> dict[str, Any]:
    """The write that names a customer's default method or address, or none, where nobody was
    faster.

    It moves the version, also where the default stays: so no two changes of what a customer holds
    can pass each other.
    """
    after = defaults | {"version": seen.version + 1}
    guard = dynamodb.condition(
        "#version = :seen AND #state = :active", seen=seen.version, active="active"
    )
    chosen = seen.model_copy(update=after)
    return dynamodb.change(keys.customer(seen.id), item_of(seen), item_of(chosen), guard)


def holding(customer_id: str, method_id: str) -> dict[str, Any]:
    """The write that lets a method be the default where there is none, whoever else writes."""
    active = dynamodb.condition("#state = :active", active="active")
    return dynamodb.first(
        keys.customer(customer_id), {"default_method_id": method_id}, active, version=1
    )


def make(actions: Actions) -> None:
    """Write a customer, or its place at the provider, by itself. Raises Outrun, Congested."""
    try:
        dynamodb.transact(actions)
    except dynamodb.ConditionFailed as failed:
        raise dynamodb.VersionConflict(str(failed)) from failed


def insert(customer: Customer, record: IdempotencyRecord | None) -> None:
    """Write a new customer and the answer that its client's key stands for.

    Raises Outrun when another run of the same request has written it, ExternalIdTaken, Congested.
    """
    actions = creation(customer, as_own=False)
    if record:
        actions["record"] = idempotency_items.close_action(record)
    _transact(actions, customer)


def insert_once(customer: Customer, record: IdempotencyRecord | None, now: int) -> None:
    """Write a new customer, unless its client's key has been answered before.

    Raises KeyTaken, ExternalIdTaken, Congested.
    """
    actions = creation(customer, as_own=False)
    if record:
        actions["record"] = idempotency_items.open_action(record, now)
    _transact(actions, customer)


def _transact(actions: Actions, customer: Customer) -> None:
    try:
        dynamodb.transact(actions)
    except dynamodb.ConditionFailed as failed:
        if "record" in failed.items:
            raise idempotency_items.taken(failed.items["record"]) from failed
        if "customer" not in failed.items and "external_id" in failed.items:
            raise ExternalIdTaken(customer.id) from failed
        raise dynamodb.VersionConflict(customer.id) from failed


def update(seen: Customer, after: Customer) -> Customer:
    """Raises Outrun when the customer changed or was deleted since it was seen, ExternalIdTaken,
    Congested."""
    after = after.model_copy(update={"version": seen.version + 1})
    guard = dynamodb.condition(
        "#version = :seen AND #state = :active", seen=seen.version, active="active"
    )
    row = keys.customer(seen.id)
    actions = {"customer": dynamodb.change(row, item_of(seen), item_of(after), guard)}
    searched = ("name", "first_name", "last_name", "email")
    if seen.organization_id and any(getattr(seen, f) != getattr(after, f) for f in searched):
        actions["pointer"] = _organization_pointer(after, seen.organization_id)
    _transact(actions | _claims(seen, after), seen)
    return after


def delete(seen: Customer, deleted: Customer, job_id: str, now: int) -> Customer:
    """Mark the customer, drop its pointers, leave a job that finishes the rest.

    Raises Outrun, Congested. Source: design/data-model.md 6.
    """
    changes = {"version": seen.version + 1, "claims_external_id": False}
    deleted = deleted.model_copy(update=changes)
    guard = dynamodb.condition(
        "#version = :seen AND #state = :active", seen=seen.version, active="active"
    )
    row = keys.customer(seen.id)
    actions = {"customer": dynamodb.change(row, item_of(seen), item_of(deleted), guard)}
    for name, pointer in _pointers(seen).items():
        item = pointer["Put"]["Item"]
        actions[name] = dynamodb.delete(Key("ledger", item["pk"]["S"], item["sk"]["S"]))
    if seen.organization_id:
        actions["counter"] = _count(seen, seen.organization_id, -1)
        partition = keys.deleted_customers(seen.organization_id, seen.shard)
        gone = keys.customer_pointer(partition, seen.uid)
        actions["deleted"] = dynamodb.put(gone, {"id": seen.id})
    actions |= _claims(seen, deleted)
    actions["job"] = job_items.creation(Job(id=job_id, customer_id=seen.id, due_at=now))
    if not seen.user_id or not seen.provider_id:
        _delete_with(actions, seen)
        return deleted
    own = keys.automatic_customer(seen.user_id, seen.provider_id, seen.organization_id)
    ours = dynamodb.condition("#customer_id = :id", id=seen.id)
    others = dynamodb.condition("attribute_not_exists(#pk) OR #customer_id <> :id", id=seen.id)
    try:
        _delete_with(actions | {"automatic": dynamodb.delete(own, ours)}, seen)
    except NotAutomatic:  # it is not the caller's first customer, and must not become it meanwhile
        _delete_with(actions | {"automatic": dynamodb.check(own, others)}, seen)
    return deleted


def _delete_with(actions: Actions, seen: Customer) -> None:
    try:
        dynamodb.transact(actions)
    except dynamodb.ConditionFailed as failed:
        if failed.items.keys() == {"automatic"}:
            raise NotAutomatic(seen.id) from failed
        raise dynamodb.VersionConflict(seen.id) from failed
