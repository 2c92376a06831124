"""What a customer holds and what is found by its own id: payment methods and addresses.

The item lies with its customer, a second one leads to it by its id, pointers list it.
Source: design/data-model.md 2 and 3.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from bridge.models.customer import Customer
from bridge.models.page import Page
from bridge.store import dynamodb, keys, pagination
from bridge.store.customers import customer_items, organization_items
from bridge.store.dynamodb import Item, Prefetched
from bridge.store.keys import Key


class Kind(NamedTuple):
    """Where one kind of record lies. `prefix`: of its sort keys; `owner`: the item that names its
    customer, by its id; `row`: the record, by its customer's id and its own; `of_organization`:
    the partition of an organization's pointers, by the shard of the customer; `pointer`: one, in a
    partition, by the uid."""

    prefix: str
    owner: Callable[[str], Key]
    row: Callable[[str, str], Key]
    of_organization: Callable[[str, int], str]
    pointer: Callable[[str, str], Key]


def find(
    kind: Kind, identifier: str, prefetched: Prefetched, *more: Key
) -> tuple[Item | None, Customer | None, dict[Key, Item | None]]:
    """A record and its customer, and what was asked for with them; two reads."""
    owner = kind.owner(identifier)
    found = dynamodb.get_all([owner, *more], prefetched)
    if (named := found[owner]) is None:
        return None, None, found
    row, holder = kind.row(named["customer_id"], identifier), keys.customer(named["customer_id"])
    items = dynamodb.get_all([row, holder])
    if (item := items[row]) is None or item["id"] != identifier:  # keys drop the prefix
        return None, None, found
    return item, customer_items.customer_from(items[holder]), found


def of_customer(kind: Kind, customer_id: str) -> list[Item]:
    """Newest first; a customer holds few, so all are read."""
    items = dynamodb.query_all("ledger", keys.customer(customer_id).pk, kind.prefix)
    return sorted(items, key=lambda item: str(item["uid"]), reverse=True)


def of_user(kind: Kind, user_id: str, page: Page) -> list[tuple[Item, Customer]]:
    """A page, newest first, as all lists are; each with its customer."""
    return _listed(kind, [keys.user(user_id)], page)


def of_organization(kind: Kind, organization_id: str, page: Page) -> list[tuple[Item, Customer]]:
    shards = organization_items.shards(organization_id)
    return _listed(kind, [kind.of_organization(organization_id, each) for each in shards], page)


def _listed(kind: Kind, partitions: Sequence[str], page: Page) -> list[tuple[Item, Customer]]:
    """What pointers name; what a deleted customer held is gone before a job deletes those."""
    ids = pagination.list_ids(
        partitions,
        pagination.everything(kind.prefix),
        limit=page.limit,
        offset=page.offset,
        only=pagination.Filter({"provider_id": page.provider_id}),
    )
    owners = dynamodb.get_all(map(kind.owner, ids))
    named = {each: item["customer_id"] for each in ids if (item := owners[kind.owner(each)])}
    rows = {each: kind.row(customer_id, each) for each, customer_id in named.items()}
    found = dynamodb.get_all([*rows.values(), *map(keys.customer, named.values())])
    records = []
    for each, customer_id in named.items():
        item = found[rows[each]]
        customer = customer_items.customer_from(found[keys.customer(customer_id)])
        if item and customer and customer.state == "active":
            records.append((item, customer))
    return records


def pointers(kind: Kind, customer: Customer, uid: str) -> dict[str, Key]:
    """Where a record is listed, by the names of actions."""
    places = {}
    if customer.user_id:
        places["of_user"] = kind.pointer(keys.user(customer.user_id), uid)
    if customer.organization_id:
        partition = kind.of_organization(customer.organization_id, customer.shard)
        places["of_organization"] = kind.pointer(partition, uid)
    return places
