"""Patches for moto, so that it behaves like DynamoDB and SQS: one lock, one undo, no scans.

Plain moto loses updates under concurrency. When a transaction fails, it puts a whole old table
back, and it copies the table for every action. It sorts the whole table for every query, and takes
3 ms to write one item of 50 attributes as JSON. It looks up its own methods for every request. It
parses the same update expression each time, and checks it again below each of its nodes. Its SQS
loses a message that arrives while another one is deleted, and counts the whole queue three times
for every message that it hands out.
This was measured for moto 5.2.5, which is pinned exactly. If an upgrade renames what is replaced
here, tests/local/test_database.py and tests/local/test_queues.py fail.
Source: docs/deployment.md, section 4.
"""

import copy
import threading
from collections.abc import Callable
from functools import cache, lru_cache
from operator import gt, lt
from typing import Any

from moto.core import responses as moto_responses
from moto.core.serialize import BaseJSONSerializer
from moto.core.utils import method_names_from_class
from moto.dynamodb import responses
from moto.dynamodb.comparisons import get_comparison_func
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table
from moto.dynamodb.parsing.expressions import UpdateExpressionParser  # type: ignore[attr-defined]
from moto.dynamodb.parsing.validators import ActionCountValidator, OverlappingPathsValidator
from moto.sqs.models import Message, Queue, SQSBackend

lock = threading.RLock()

_call_action: Callable[..., Any] = responses.DynamoHandler.call_action
_transact: Callable[..., None] = DynamoDBBackend.transact_write_items
_query: Callable[..., Any] = Table.query
_all_items: Callable[[Table], list[Item]] = Table.all_items
_cast: Callable[[DynamoType], Any] = DynamoType.cast_value.fget  # type: ignore[attr-defined]
_delete_message: Callable[[Queue, str], None] = Queue.delete_message
_write_structure: Callable[..., None] = BaseJSONSerializer._serialize_type_structure
# Safe: moto copies a parsed expression before it works on it.
_parse_update: Callable[[str], Any] = lru_cache(1000)(UpdateExpressionParser.make)


def install() -> None:
    """Replace moto's methods. Call it before the server starts. Calling it twice is harmless."""
    for owner, name, replacement in (
        (moto_responses, "method_names_from_class", cache(method_names_from_class)),
        (responses.DynamoHandler, "call_action", _serial),
        (DynamoDBBackend, "transact_write_items", _undoing),
        (Table, "__deepcopy__", _not_copied),
        (Table, "query", _narrow_query),
        (Table, "all_items", _narrowed_items),
        (DynamoType, "cast_value", property(_quick_cast)),
        (UpdateExpressionParser, "make", staticmethod(_parse_update)),
        (ActionCountValidator, "traverse", _check_root),
        (OverlappingPathsValidator, "traverse", _check_root),
        (Queue, "delete_message", _delete_alone),
        (SQSBackend, "is_message_valid_based_on_retention_period", _is_kept),
        (BaseJSONSerializer, "_serialize_type_structure", _write_plainly),
    ):
        setattr(owner, name, replacement)


def _serial(handler: responses.DynamoHandler) -> Any:
    """Run one action at a time, so that a condition and its write are atomic."""
    with lock:
        return _call_action(handler)


def _undoing(backend: DynamoDBBackend, actions: list[dict[str, Any]]) -> None:
    """Put back the items that a failed transaction touched, and no others."""
    before: list[tuple[Any, DynamoType, DynamoType, Item | None]] = []
    for kind, action in (pair for each in actions for pair in each.items()):
        table = backend.tables.get(action.get("TableName", ""))
        source = action.get("Item" if kind == "Put" else "Key", {})
        if table is None or not {table.hash_key_attr, table.range_key_attr} <= source.keys():
            continue  # moto itself refuses such an action
        pk, sk = DynamoType(source[table.hash_key_attr]), DynamoType(source[table.range_key_attr])
        before.append((table.items, pk, sk, copy.deepcopy(table.items.get(pk, {}).get(sk))))
    try:
        _transact(backend, actions)
    except Exception:
        for items, pk, sk, item in before:
            if item is not None:
                items[pk][sk] = item
            elif pk in items:
                items[pk].pop(sk, None)
        raise


def _not_copied(table: Table, memo: Any) -> Table:  # noqa: ARG001 as copy.deepcopy calls it
    """Copy nothing: the undo needs no copy of a table. (On-demand backups would share items.)"""
    return table


def _narrow_query(table: Table, hash_key: DynamoType | None, *rest: Any, **keywords: Any) -> Any:
    """Give moto's query only the candidates, already sorted. It would sort the whole table.

    This runs under the lock, so the candidates can be an attribute of the table.
    """
    comparison, values, limit, start, forward, _, index_name = rest[:7]
    if index_name:
        found = _indexed(table, *keywords["hash_key_conditions"][0])
    else:
        found = _ranged(table, hash_key, comparison, values)
        if start:
            follows, last = gt if forward else lt, start[table.range_key_attr]["S"]
            found = [item for item in found if follows(_sort_key(item), last)]
        if limit:  # and one more, because then moto returns a LastEvaluatedKey
            found = found[: limit + 1] if forward else found[-limit - 1 :]
    table.candidates = found  # type: ignore[attr-defined]
    try:
        return _query(table, hash_key, *rest, **keywords)
    finally:
        del table.candidates  # type: ignore[attr-defined]


def _indexed(table: Table, name: str, value: DynamoType) -> list[Item]:
    """The items of an index under a hash key. They are few, and are found without sorting."""
    partitions = (partition.values() for partition in table.items.values())
    items = (item for partition in partitions for item in partition)
    return [item for item in items if name in item.attrs and item.attrs[name] == value]


def _ranged(
    table: Table, hash_key: DynamoType | None, comparison: str | None, values: list[DynamoType]
) -> list[Item]:
    """A partition's items in a range of sort keys. All our tables have strings as sort keys."""
    found = list(table.items.get(hash_key, {}).values())
    if comparison:
        matches, bounds = get_comparison_func(comparison), [value.value for value in values]
        found = [item for item in found if matches(_sort_key(item), *bounds)]
    return sorted(found, key=_sort_key)


def _sort_key(item: Item) -> Any:
    return item.range_key.value if item.range_key else None


def _narrowed_items(table: Table) -> list[Item]:
    found: list[Item] | None = getattr(table, "candidates", None)
    return _all_items(table) if found is None else found


def _quick_cast(value: DynamoType) -> Any:
    """The Python value of an attribute. Nearly all are strings, for which moto tests last."""
    return value.value if value.type == "S" else _cast(value)


def _write_plainly(writer: BaseJSONSerializer, out: Any, value: Any, shape: Any, key: str) -> None:
    """Write {"S": "text"} as it is. moto would try ten member names on it."""
    if shape.name == "AttributeValue" and not value.keys() & {"B", "BS", "L", "M"}:
        out[key] = value
    else:
        _write_structure(writer, out, value, shape, key)


def _check_root(validator: Any, expression: Any) -> Any:
    """Check the whole expression once. What is wrong in a part of it is wrong in the whole, too."""
    return validator.process(expression)


def _delete_alone(queue: Queue, receipt_handle: str) -> None:
    """Delete a message under the lock under which new ones are added.

    Without it, moto writes back the list that it has read, without a message added meanwhile.
    """
    with queue._messages_lock:
        _delete_message(queue, receipt_handle)


def _is_kept(backend: SQSBackend, queue_name: str, message: Message) -> bool:  # noqa: ARG001
    """Always true: no local run is longer than the days for which a queue keeps its messages."""
    return True
