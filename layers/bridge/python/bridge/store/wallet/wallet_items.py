"""What payment methods and addresses have in common: how they are found, listed and pointed to.

The row is in its customer's partition. The owner item finds the customer by the record's id alone.
Pointers list the record. Source: docs/data-model.md, sections 2 and 3.
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
    """The keys of one kind of record.

    `prefix`: of the sort keys. `owner`: key of the owner item, by the record's id. `row`: key of
    the record, by the customer's id and the record's. `of_organization`: partition of an
    organization's pointers, by shard. `pointer`: key of a pointer, by partition and record's uid.
    """

    prefix: str
    owner: Callable[[str], Key]
    row: Callable[[str, str], Key]
    of_organization: Callable[[str, int], str]
    pointer: Callable[[str, str], Key]


def find(
    kind: Kind, identifier: str, prefetched: Prefetched, *more: Key
) -> tuple[Item | None, Customer | None, dict[Key, Item | None]]:
    """Return a record's item, its customer, and the items of the first read; two reads.

    `more`: other keys for the first read.
    """
    owner_key = kind.owner(identifier)
    found = dynamodb.get_all([owner_key, *more], prefetched)
    if (owner := found[owner_key]) is None:
        return None, None, found
    row, customer = kind.row(owner["customer_id"], identifier), keys.customer(owner["customer_id"])
    items = dynamodb.get_all([row, customer])
    if (item := items[row]) is None or item["id"] != identifier:  # keys have no prefix
        return None, None, found
    return item, customer_items.customer_from(items[customer]), found


def of_customer(kind: Kind, customer_id: str) -> list[Item]:
    """Return all records of a customer, newest first. A customer has few, so all are read."""
    items = dynamodb.query_all("ledger", keys.customer(customer_id).pk, kind.prefix)
    return sorted(items, key=lambda item: str(item["uid"]), reverse=True)


def of_user(kind: Kind, user_id: str, page: Page) -> list[tuple[Item, Customer]]:
    """Return a page of a user's records with their customers, newest first."""
    return _listed(kind, [keys.user(user_id)], page)


def of_organization(kind: Kind, organization_id: str, page: Page) -> list[tuple[Item, Customer]]:
    """Return a page of an organization's records with their customers, newest first."""
    shards = organization_items.shards(organization_id)
    return _listed(kind, [kind.of_organization(organization_id, each) for each in shards], page)


def _listed(kind: Kind, partitions: Sequence[str], page: Page) -> list[tuple[Item, Customer]]:
    """Read pointers, then their records. Records of a deleted customer are left out.

    Its pointers stay until a job deletes them.
    """
    ids = pagination.list_ids(
        partitions,
        pagination.everything(kind.prefix),
        limit=page.limit,
        offset=page.offset,
        only=pagination.Filter({"provider_id": page.provider_id}),
    )
    owners = dynamodb.get_all(map(kind.owner, ids))
    owner_of = {each: item["customer_id"] for each in ids if (item := owners[kind.owner(each)])}
    rows = {each: kind.row(customer_id, each) for each, customer_id in owner_of.items()}
    found = dynamodb.get_all([*rows.values(), *map(keys.customer, owner_of.values())])
    records = []
    for each, customer_id in owner_of.items():
        item = found[rows[each]]
        customer = customer_items.customer_from(found[keys.customer(customer_id)])
        if item and customer and customer.state == "active":
            records.append((item, customer))
    return records


def pointers(kind: Kind, customer: Customer, uid: str) -> dict[str, Key]:
    """Return the keys of a record's pointers, by the names of their actions."""
    found = {}
    if customer.user_id:
        found["of_user"] = kind.pointer(keys.user(customer.user_id), uid)
    if customer.organization_id:
        partition = kind.of_organization(customer.organization_id, customer.shard)
        found["of_organization"] = kind.pointer(partition, uid)
    return found
