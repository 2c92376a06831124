"""Lists of pointers: by offset, by cursor, by filter, and page by page.

A list can be spread over several partitions, its shards. They are read at the same time and merged
by sort key. Pointers that an offset skips are read by DynamoDB, but not sent to us.
Source: docs/data-model.md, sections 4 to 6.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from heapq import merge
from itertools import chain, islice
from operator import itemgetter
from typing import Any, NamedTuple

from bridge.store import dynamodb
from bridge.store.dynamodb import Item
from bridge.store.keys import Key

COUNTED_AT_ONCE = 1_000_000  # a Limit has 32 bits; the offset in an organization may be larger
# So many more than its share we read of each shard. Of 10,000 records in four shards, one rarely
# has more than that; if it has, the next page is read too.
UNEVEN = 100
IDS = ("id",)
AFTER_ALL = "~"  # sorts behind every character of a key


class Range(NamedTuple):
    """A range of sort keys, both included."""

    low: str
    high: str


def everything(prefix: str) -> Range:
    """All sort keys with a prefix."""
    return Range(prefix, prefix + AFTER_ALL)


class Filter(NamedTuple):
    """What pointers must have.

    `equal`: attributes and their values; None allows any value. `containing`: an attribute and a
    text that it must contain.
    """

    equal: dict[str, str | None] = {}
    containing: tuple[str, str] | None = None

    def arguments(self) -> dict[str, Any]:
        """The arguments of a Query; empty if everything passes."""
        values = {name: value for name, value in self.equal.items() if value}
        tests = [f"#{name} = :{name}" for name in values]
        if self.containing:
            name, text = self.containing
            tests.append(f"contains(#{name}, :{name})")
            values[name] = text
        if not tests:
            return {}
        return {
            "FilterExpression": " AND ".join(tests),
            "ExpressionAttributeNames": {f"#{name}": name for name in values},
            "ExpressionAttributeValues": dynamodb.typed({f":{k}": v for k, v in values.items()}),
        }


ALL = Filter()


def scan(
    partitions: Sequence[str],
    keys: Range,
    only: Filter = ALL,
    *,
    newest_first: bool = True,
    consistent: bool = True,
    page: int | None = None,
    sent: Sequence[str] = (),
) -> Iterator[Item]:
    """The items of all partitions in one order, read only as far as the iterator goes.

    `page`: how many to read of a partition at a time. `sent`: the attributes that DynamoDB sends
    of each, besides its sort key; all of them if empty.
    """
    more = only.arguments()
    if page and not more:  # with a filter a page could be empty: DynamoDB filters after the limit
        more["Limit"] = page
    if sent:
        names = {f"#{name}": name for name in ("sk", *sent)}
        more["ProjectionExpression"] = ", ".join(names)
        more["ExpressionAttributeNames"] = names | more.get("ExpressionAttributeNames", {})
    streams = [
        dynamodb.query_between(each, *keys, forward=not newest_first, consistent=consistent, **more)
        for each in partitions
    ]
    if len(streams) == 1:
        return streams[0]
    with ThreadPoolExecutor(len(streams)) as pool:
        started = list(pool.map(_start, streams))
    return merge(*started, key=itemgetter("sk"), reverse=newest_first)


def _start(stream: Iterator[Item]) -> Iterator[Item]:
    """Read the first page of a stream, and return the stream as if nothing had been taken."""
    first = next(stream, None)
    return stream if first is None else chain([first], stream)


def list_ids(
    partitions: Sequence[str],
    keys: Range,
    *,
    limit: int,
    offset: int,
    only: Filter = ALL,
    newest_first: bool = True,
) -> list[str]:
    """The ids in a list of pointers after the first `offset`, at most `limit`.

    Newest first by default; strongly consistent.
    """
    if len(partitions) > 1 or only.arguments():
        needed = offset + limit
        page = min(needed, needed // len(partitions) + UNEVEN, COUNTED_AT_ONCE)
        found = scan(partitions, keys, only, newest_first=newest_first, page=page, sent=IDS)
        return [str(item["id"]) for item in islice(found, offset, offset + limit)]
    return _skip_and_collect(partitions[0], keys, limit, offset, newest_first=newest_first)


def _skip_and_collect(
    partition: str, keys: Range, limit: int, offset: int, *, newest_first: bool
) -> list[str]:
    more: dict[str, Any] = {"ScanIndexForward": not newest_first}
    while offset:
        most = min(offset, COUNTED_AT_ONCE)
        response = dynamodb.count_between(partition, *keys, Limit=most, **more)
        offset -= response["Count"]
        if "LastEvaluatedKey" not in response:
            return []
        more["ExclusiveStartKey"] = response["LastEvaluatedKey"]
    forward = more.pop("ScanIndexForward")
    found = dynamodb.query_between(partition, *keys, forward=forward, Limit=limit, **more)
    return [str(item["id"]) for item in islice(found, limit)] if limit else []


def walk(partition: str, prefix: str, after: str | None, limit: int) -> tuple[list[Item], str]:
    """A page of items after a sort key, oldest first, and the `after` of the next page.

    That is "" at the end. Strongly consistent. The items of a page may be deleted before the next
    page is read.
    """
    start = {"ExclusiveStartKey": dynamodb.key_of(Key("ledger", partition, after))} if after else {}
    response = dynamodb.query("ledger", partition, prefix, Limit=limit, **start)
    last = response.get("LastEvaluatedKey", {}).get("sk", {}).get("S", "")
    return [dynamodb.item_from(item) for item in response["Items"]], last


class CursorWindow(NamedTuple):
    """A page of items, newest first, and whether there are older and newer ones."""

    items: list[Item]
    has_older: bool
    has_newer: bool


def around(
    partitions: Sequence[str],
    keys: Range,
    only: Filter,
    *,
    limit: int,
    after: str | None = None,
    before: str | None = None,
) -> CursorWindow:
    """The `limit` items next to a sort key: older than `after`, or newer than `before`.

    Without either, the newest items. A page is full if there are enough items that pass the filter.
    The item at the sort key itself is never in the page. If the page is empty, that item counts as
    newer (for `after`) or older (for `before`). Source: docs/api/alternative.md, section 5.
    """

    def take(low: str, high: str, count: int, *, newest_first: bool = True) -> list[Item]:
        stream = scan(partitions, Range(low, high), only, newest_first=newest_first, page=count + 1)
        others = (item for item in stream if item["sk"] not in (after, before))
        return list(islice(others, count))

    def exists(low: str, high: str, *except_for: str) -> bool:
        stream = scan(partitions, Range(low, high), only, page=2)
        return any(item["sk"] not in except_for for item in stream)

    low, high = keys
    if before is not None:
        items = take(max(low, before), high, limit + 1, newest_first=False)
        page = items[:limit][::-1]
        oldest = page[-1]["sk"] if page else before
        has_older = exists(low, min(high, oldest), *([oldest] if page else []))
        return CursorWindow(page, has_older, len(items) > limit)
    top = high if after is None else min(high, after)
    items = take(low, top, limit + 1)  # one more shows whether the list goes on
    page = items[:limit]
    if after is None:
        return CursorWindow(page, len(items) > limit, has_newer=False)
    newest = page[0]["sk"] if page else after
    has_newer = exists(max(low, newest), high, *([newest] if page else []))
    return CursorWindow(page, len(items) > limit, has_newer)
