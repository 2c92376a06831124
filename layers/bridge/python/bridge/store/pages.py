"""Lists by offset: pointers are skipped by counting, then read, newest first; walks, page by page.

Source: design/data-model.md 4 and 6. Skipped pointers are read but not sent.
"""

from typing import Any

from bridge.store import table
from bridge.store.keys import Key
from bridge.store.table import Item

COUNTED_AT_ONCE = 1_000_000  # DynamoDB takes 32 bits, an organization's offset may have more


def list_ids(
    partition: str, prefix: str, *, limit: int, offset: int, **only: str | None
) -> list[str]:
    """The ids that pointers of one partition name, newest first; strongly consistent.

    `only`: what attributes of the pointers must be; None is anything.
    """
    narrowed: dict[str, Any] = {"ScanIndexForward": False}
    if equal := {name: value for name, value in only.items() if value}:
        narrowed |= {
            "FilterExpression": " AND ".join(f"#{name} = :{name}" for name in equal),
            "ExpressionAttributeNames": {f"#{name}": name for name in equal},
            "ExpressionAttributeValues": table.typed({f":{k}": v for k, v in equal.items()}),
        }
        return _filtered(partition, prefix, narrowed, limit, offset)
    start: dict[str, Any] = {}
    while offset:
        most = min(offset, COUNTED_AT_ONCE)
        answer = table.query(
            "ledger", partition, prefix, Select="COUNT", Limit=most, **narrowed, **start
        )
        offset -= answer["Count"]
        if "LastEvaluatedKey" not in answer:
            return []
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
    return _collect(partition, prefix, narrowed | start, limit)


def _collect(partition: str, prefix: str, how: dict[str, Any], wanted: int) -> list[str]:
    ids: list[str] = []
    while True:
        answer = table.query("ledger", partition, prefix, Limit=wanted - len(ids), **how)
        ids += [str(table.item_from(item)["id"]) for item in answer["Items"]]
        if len(ids) >= wanted or "LastEvaluatedKey" not in answer:
            return ids
        how = how | {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def _filtered(
    partition: str, prefix: str, how: dict[str, Any], limit: int, offset: int
) -> list[str]:
    """A filter works after the limit, so whole pages are read until enough have passed it."""
    ids: list[str] = []
    while len(ids) < offset + limit:
        answer = table.query("ledger", partition, prefix, **how)
        ids += [str(table.item_from(item)["id"]) for item in answer["Items"]]
        if "LastEvaluatedKey" not in answer:
            break
        how = how | {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
    return ids[offset : offset + limit]


def walk(partition: str, prefix: str, after: str | None, limit: int) -> tuple[list[Item], str]:
    """The items behind a sort key, oldest first, and where the next page begins: "" at the end.

    Strongly consistent; what a page held may be deleted before the next is asked for.
    """
    start = {"ExclusiveStartKey": table.key_of(Key("ledger", partition, after))} if after else {}
    answer = table.query("ledger", partition, prefix, Limit=limit, **start)
    last = answer.get("LastEvaluatedKey", {}).get("sk", {}).get("S", "")
    return [table.item_from(item) for item in answer["Items"]], last
