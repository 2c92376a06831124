"""Lists of an organization's customers: by offset with a total, by cursor, by search.

Source: docs/data-model.md, sections 4 and 5.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from bridge.models.customer import Customer
from bridge.models.identifier import lowest
from bridge.models.page import Between, CursorPage, OffsetPage, Page
from bridge.store import dynamodb, keys, pagination
from bridge.store.customers import customer_items, organization_items

JUMP_FROM = 1_000  # the offset from which whole months are skipped; below it pointers are counted
EVERY = pagination.everything("C#")
SECOND = timedelta(seconds=1)


def _partitions(organization_id: str) -> list[str]:
    shards = organization_items.shards(organization_id)
    return [keys.organization_customers(organization_id, each) for each in shards]


def count_by_month(organization_id: str) -> Counter[str]:
    """Return how many active customers were created in each month ("2026-01")."""
    months = Counter[str]()
    for item in dynamodb.query_between(keys.customer_counters(organization_id), "0", "9"):
        months[item["sk"].partition("#")[0]] += item["n"]
    return months


def list_page(organization_id: str, page: Page) -> list[Customer]:
    """Return a page, newest first; at one provider if the page asks for it."""
    ids = pagination.list_ids(
        _partitions(organization_id),
        EVERY,
        limit=page.limit,
        offset=page.offset,
        only=pagination.Filter({"provider_id": page.provider_id}),
    )
    return customer_items.list_by_id(ids) if ids else []


def list_by_offset(organization_id: str, page: OffsetPage, months: Counter[str]) -> list[Customer]:
    """Return a page at any offset. Whole months before it are skipped without a read.

    `months`: the result of `count_by_month`.
    """
    start = _jump(page, months)
    ids = pagination.list_ids(
        _partitions(organization_id),
        start.keys,
        limit=page.limit,
        offset=start.offset,
        newest_first=page.newest_first,
    )
    return customer_items.list_by_id(ids) if ids else []


class _Start(NamedTuple):
    keys: pagination.Range
    offset: int


def _jump(page: OffsetPage, months: Counter[str]) -> _Start:
    """Return the range of keys to read, and how many customers to skip at its beginning."""
    if page.offset < JUMP_FROM:
        return _Start(EVERY, page.offset)
    low, high, left = EVERY.low, EVERY.high, page.offset
    for month in sorted(months, reverse=page.newest_first):
        if left < months[month]:
            break
        left -= months[month]
        begin = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
        if page.newest_first:
            high = f"C#{lowest(begin)}"
        else:
            low = f"C#{lowest((begin + timedelta(days=31)).replace(day=1))}"
    return _Start(pagination.Range(low, high), left)


def search(organization_id: str, text: str, page: OffsetPage, *, consistent: bool) -> Iterator[str]:
    """Return the ids of all customers whose names or e-mail contain a text.

    `text`: folded by `customer_items.fold`.
    """
    only = pagination.Filter(containing=("search", text))
    items = pagination.scan(
        _partitions(organization_id),
        EVERY,
        only,
        newest_first=page.newest_first,
        consistent=consistent,
        sent=pagination.IDS,
    )
    return (str(item["id"]) for item in items)


def list_by_cursor(organization_id: str, page: CursorPage) -> Between[Customer]:
    """Return a page before or after a cursor, newest first. Both times are inclusive."""
    low, high = EVERY
    if page.created_from:
        # Times are compared in whole seconds, as callers see them: a begin within a second leaves
        # that second out.
        begin = page.created_from
        whole = begin.replace(microsecond=0)
        low = f"C#{lowest(whole if whole == begin else whole + SECOND)}"
    if page.created_until:
        high = f"C#{lowest(page.created_until.replace(microsecond=0) + SECOND)}"
    containing = ("search_name", customer_items.fold(page.name)) if page.name else None
    found = pagination.around(
        _partitions(organization_id),
        pagination.Range(low, high),
        pagination.Filter(containing=containing),
        limit=page.limit,
        after=f"C#{page.after}" if page.after else None,
        before=f"C#{page.before}" if page.before else None,
    )
    ids = [str(item["id"]) for item in found.items]
    customers = customer_items.list_by_id(ids) if ids else []
    return Between(customers, has_next=found.has_older, has_previous=found.has_newer)
