"""Customers: the item, its pointers, and the transactions that write them together.

Functions that return actions write nothing: the caller puts the actions in a transaction.
Source: docs/data-model.md, sections 2, 3 and 6.
"""

import json
import random
import unicodedata
from itertools import islice
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from bridge.models.customer import Customer, joined_name
from bridge.models.idempotency import IdempotencyRecord
from bridge.models.job import Job
from bridge.models.model import present_values_of
from bridge.models.page import Page
from bridge.models.text import compact
from bridge.store import dynamodb, keys, pagination
from bridge.store.dedupe import idempotency_items
from bridge.store.dynamodb import NOTHING_PREFETCHED, Actions, Item, Prefetched
from bridge.store.jobs import job_items
from bridge.store.keys import Key

COUNTER_PARTS = 8
OBJECTS = ("address", "primary_address", "metadata", "custom_fields")


class ExternalIdTaken(Exception):
    """Another customer of the organization has claimed this external id."""


class NotAutomatic(dynamodb.VersionConflict):
    """A condition on the user's automatic customer failed: it is another customer, or it is not."""


def item_of(customer: Customer) -> Item:
    """Return the item of a customer. Its JSON objects are stored as text.

    A DynamoDB map would lose the order of the keys, and the difference between null and missing.
    """
    item = present_values_of(customer)
    return item | {name: compact(item[name]) for name in OBJECTS if name in item}


def customer_from(item: Item | None) -> Customer | None:
    """Return the customer in an item; None if there is no item."""
    if not item:
        return None
    objects = {name: json.loads(item[name]) for name in OBJECTS if item.get(name)}
    return msgspec.convert(item | objects, Customer)


def get(customer_id: str, prefetched: Prefetched = NOTHING_PREFETCHED) -> Customer | None:
    """Return a customer, also a deleted one."""
    key = keys.customer(customer_id)
    customer = customer_from(dynamodb.get_all([key], prefetched)[key])
    return customer if customer and customer.id == customer_id else None  # keys have no prefix


def list_by_id(customer_ids: list[str]) -> list[Customer]:
    """Return customers in the order of the ids. A missing one is left out."""
    found = dynamodb.get_all([keys.customer(each) for each in customer_ids])
    listed = [customer_from(found[keys.customer(each)]) for each in customer_ids]
    return [customer for customer in listed if customer]


def list_of_user(user_id: str, page: Page) -> list[Customer]:
    """Return a page of a user's own customers, newest first."""
    only = pagination.Filter({"provider_id": page.provider_id})
    all_keys = pagination.everything("C#")
    ids = pagination.list_ids(
        [keys.user(user_id)], all_keys, limit=page.limit, offset=page.offset, only=only
    )
    return list_by_id(ids) if ids else []


def get_claimed(organization_id: str, external_id: str) -> Customer | None:
    """Return the customer that claimed an external id."""
    claim = dynamodb.get(keys.external_id(organization_id, external_id))
    return get(str(claim["customer_id"])) if claim else None


class Own(NamedTuple):
    """A user's automatic customer at a provider. `is_claimed`: the automatic item names it."""

    customer_id: str
    provider_customer_id: str
    is_claimed: bool


def find_own(user_id: str, provider_id: str, organization_id: str | None) -> Own | None:
    """Return the first customer that a user made at a provider (B18).

    `organization_id`: in that organization; None: in no organization. One query reads the automatic
    item and, behind it, the user's oldest customers. They are needed only if that item is missing.
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
    """Return a text as searches compare it: NFKC, lower case, single spaces.

    Source: docs/data-model.md, section 5.
    """
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
    # Random sub-counters, so that creations at once seldom write the same item.
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
    """Return the actions that create a customer.

    `as_own`: it is created because its user has none at the provider. Then the action "automatic"
    fails if the user has one now.
    """
    is_new = dynamodb.condition("attribute_not_exists(#pk)")
    actions = {"customer": dynamodb.put(keys.customer(customer.id), item_of(customer), is_new)}
    actions |= _pointers(customer) | _automatic(customer, is_new if as_own else None)
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
    """Return the actions that release the old external id and claim the new one, if they differ."""
    claimed = _external_id(seen) if seen.claims_external_id else None
    claimed_next = _external_id(after) if after.claims_external_id else None
    actions: Actions = {}
    if claimed != claimed_next:
        actions |= {"released_external_id": dynamodb.delete(claimed)} if claimed else {}
        actions |= {"external_id": _claim(after)} if claimed_next else {}
    return actions


def lives(customer_id: str) -> Actions:
    """Return the action that checks that a customer is not deleted."""
    guard = dynamodb.condition("#state = :active", active="active")
    return {"customer_lives": dynamodb.check(keys.customer(customer_id), guard)}


def own_check(own: Own, user_id: str, provider_id: str, organization_id: str | None) -> Actions:
    """Return the actions that check that a user's own customer is active.

    If its automatic item is missing, it is written again.
    """
    if own.is_claimed:
        return lives(own.customer_id)
    key = keys.automatic_customer(user_id, provider_id, organization_id)
    item = {"customer_id": own.customer_id, "provider_customer_id": own.provider_customer_id}
    return lives(own.customer_id) | {"automatic": dynamodb.first(key, item)}


def provider_link(seen: Customer, linked: Customer) -> Actions:
    """Return the actions that give a customer its provider and its id there, once.

    Customers of the other APIs begin without a provider. The pointer in the organization's list
    gets the provider too, so that lists can be narrowed to it.
    """
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


def defaults_update(seen: Customer, **defaults: str | None) -> dict[str, Any]:
    """Return the action that sets a customer's default method or addresses, or clears them.

    It needs the version as it was read and raises it, also if no default changes. So two changes in
    one wallet cannot overlap unseen.
    """
    after = defaults | {"version": seen.version + 1}
    guard = dynamodb.condition(
        "#version = :seen AND #state = :active", seen=seen.version, active="active"
    )
    updated = replace(seen, **after)
    return dynamodb.change(keys.customer(seen.id), item_of(seen), item_of(updated), guard)


def default_if_missing(customer_id: str, method_id: str) -> dict[str, Any]:
    """Return the action that makes a method the default if there is none.

    It needs no version: a payment that saves its method must not fail because something else in the
    wallet changed.
    """
    active = dynamodb.condition("#state = :active", active="active")
    return dynamodb.first(
        keys.customer(customer_id), {"default_method_id": method_id}, active, version=1
    )


def make(actions: Actions) -> None:
    """Run the actions that create or link a customer. Raises VersionConflict, Throttled."""
    try:
        dynamodb.transact(actions)
    except dynamodb.ConditionFailed as failed:
        raise dynamodb.VersionConflict(str(failed)) from failed


def insert(customer: Customer, record: IdempotencyRecord | None) -> None:
    """Write a new customer, and complete the idempotency record of its creation.

    Raises VersionConflict if another run of the same request has written it, ExternalIdTaken,
    Throttled.
    """
    actions = creation(customer, as_own=False)
    if record:
        actions["record"] = idempotency_items.close_action(record)
    _transact(actions, customer)


def insert_once(customer: Customer, record: IdempotencyRecord | None, now: int) -> None:
    """Write a new customer with its idempotency record, if the record does not exist yet.

    `now`: seconds since 1970. Raises KeyTaken, ExternalIdTaken, Throttled.
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
    """Write a changed customer, its pointer and its external id. Only what differs is written.

    Raises VersionConflict if the customer changed or was deleted since it was read,
    ExternalIdTaken, Throttled.
    """
    after = replace(after, version=seen.version + 1)
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
    """Mark a customer deleted, delete its pointers, and add a job that does the rest.

    `now`: seconds since 1970, when the job is due.
    Raises VersionConflict, Throttled. Source: docs/data-model.md, section 6.
    """
    changes = {"version": seen.version + 1, "claims_external_id": False}
    deleted = replace(deleted, **changes)
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
        pointer_key = keys.customer_pointer(partition, seen.uid)
        actions["deleted"] = dynamodb.put(pointer_key, {"id": seen.id})
    actions |= _claims(seen, deleted)
    actions["job"] = job_items.creation(Job(id=job_id, customer_id=seen.id, due_at=now))
    if not seen.user_id or not seen.provider_id:
        _delete_with(actions, seen)
        return deleted
    own = keys.automatic_customer(seen.user_id, seen.provider_id, seen.organization_id)
    is_this = dynamodb.condition("#customer_id = :id", id=seen.id)
    is_other = dynamodb.condition("attribute_not_exists(#pk) OR #customer_id <> :id", id=seen.id)
    try:
        _delete_with(actions | {"automatic": dynamodb.delete(own, is_this)}, seen)
    except NotAutomatic:
        # It is not the user's automatic customer. The check makes sure that it does not become
        # that in the meantime: then the automatic item would name a deleted customer.
        _delete_with(actions | {"automatic": dynamodb.check(own, is_other)}, seen)
    return deleted


def _delete_with(actions: Actions, seen: Customer) -> None:
    try:
        dynamodb.transact(actions)
    except dynamodb.ConditionFailed as failed:
        if failed.items.keys() == {"automatic"}:
            raise NotAutomatic(seen.id) from failed
        raise dynamodb.VersionConflict(seen.id) from failed
