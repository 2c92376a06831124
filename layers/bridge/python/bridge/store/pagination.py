"""Lists of pointers: by offset, by cursor, by what they contain; walks, page by page.

A list may lie in several partitions, its shards: they are read at once and merged by sort key.
Source: design/data-model.md 4 to 6. Skipped pointers are read but not sent.
"""

import heapq
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from operator import itemgetter
from typing import Any, NamedTuple

from bridge.store import dynamodb
from bridge.store.dynamodb import Item
from bridge.store.keys import Key

COUNTED_AT_ONCE = 1_000_000  # DynamoDB takes 32 bits, an organization's offset may have more
# Of 10,000 records a shard of four rarely holds so many more than its part; then it is read on.
UNEVEN = 100
IDS = ("id",)
AFTER_ALL = "~"  # sorts behind every character of a key


class Range(NamedTuple):
    """Sort keys, both included."""

    low: str
    high: str


def everything(prefix: str) -> Range:
    return Range(prefix, prefix + AFTER_ALL)


class Filter(NamedTuple):
    """What pointers must have: attributes that are equal to a value (None is anything), and one
    that contains a text."""

    equal: dict[str, str | None] = {}
    containing: tuple[str, str] | None = None

    def arguments(self) -> dict[str, Any]:
        requested = {name: value for name, value in self.equal.items() if value}
        tests = [f"#{name} = :{name}" for name in requested]
        if self.containing:
            name, text = self.containing
            tests.append(f"contains(#{name}, :{name})")
            requested[name] = text
        if not tests:
            return {}
        return {
            "FilterExpression": " AND ".join(tests),
            "ExpressionAttributeNames": {f"#{name}": name for name in requested},
            "ExpressionAttributeValues": dynamodb.typed({f":{k}": v for k, v in requested.items()}),
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
    """The items of all partitions in one order, read as they are asked for, `page` at a time.

    `sent`: all that is sent of each, besides its sort key; nothing stands for everything.
    """
    more = only.arguments()
    if page and not more:  # a filter works after the limit
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
        begun = list(pool.map(_begun, streams))
    return heapq.merge(*begun, key=itemgetter("sk"), reverse=newest_first)


def _begun(stream: Iterator[Item]) -> Iterator[Item]:
    """The same stream, with its first page read."""
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
    """The ids that pointers name, newest first unless asked otherwise; strongly consistent."""
    if len(partitions) > 1 or only.arguments():
        requested = offset + limit
        page = min(requested, requested // len(partitions) + UNEVEN, COUNTED_AT_ONCE)
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
    """The items behind a sort key, oldest first, and where the next page begins: "" at the end.

    Strongly consistent; what a page held may be deleted before the next is asked for.
    """
    start = {"ExclusiveStartKey": dynamodb.key_of(Key("ledger", partition, after))} if after else {}
    response = dynamodb.query("ledger", partition, prefix, Limit=limit, **start)
    last = response.get("LastEvaluatedKey", {}).get("sk", {}).get("S", "")
    return [dynamodb.item_from(item) for item in response["Items"]], last


class CursorWindow(NamedTuple):
    """Items newest first, and whether the list goes on behind (older) and before (newer) them."""

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
    """The items nearest to a sort key: older than `after`, or newer than `before`, or the newest.

    Pages are full, whatever is filtered out. For an empty page the item at the sort key itself
    counts as its neighbour. Source: contracts/alternative.md 5.
    """

    def found(low: str, high: str, requested: int, *, newest_first: bool = True) -> list[Item]:
        stream = scan(
            partitions, Range(low, high), only, newest_first=newest_first, page=requested + 1
        )
        within = (item for item in stream if item["sk"] not in (after, before))
        return list(islice(within, requested))

    def exists(low: str, high: str, *but: str) -> bool:
        stream = scan(partitions, Range(low, high), only, page=2)
        return any(item["sk"] not in but for item in stream)

    low, high = keys
    if before is not None:
        items = found(max(low, before), high, limit + 1, newest_first=False)
        page = items[:limit][::-1]
        oldest = page[-1]["sk"] if page else before
        has_older = exists(low, min(high, oldest), *([oldest] if page else []))
        return CursorWindow(page, has_older, len(items) > limit)
    top = high if after is None else min(high, after)
    items = found(low, top, limit + 1)
    page = items[:limit]
    if after is None:
        return CursorWindow(page, len(items) > limit, has_newer=False)
    newest = page[0]["sk"] if page else after
    has_newer = exists(max(low, newest), high, *([newest] if page else []))
    return CursorWindow(page, len(items) > limit, has_newer)
