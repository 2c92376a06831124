"""Event counters: one small item beside a payment's row, which no transaction touches.

So an event is not lost because somebody writes the row at the same time, and no write of the row
clears it: only a status check does that began after the event was counted.

Source: docs/payment-correctness.md, rule 14; docs/data-model.md, section 2.
"""

from contextlib import suppress
from typing import Any

import msgspec

from bridge import config
from bridge.models.event_counter import EventCounter
from bridge.store import dynamodb, keys
from bridge.store.dynamodb import Item


def get(payment_id: str) -> EventCounter | None:
    """The counter, strongly consistent. None if no event of the payment was counted yet."""
    item = dynamodb.get(keys.event_counter(payment_id))
    return _counter(payment_id, item) if item else None


def _counter(payment_id: str, item: Item) -> EventCounter:
    return msgspec.convert(item | {"payment_id": payment_id}, EventCounter)


def count(payment_id: str, now: int) -> EventCounter:
    """Count one event, and make the counter due at `now` (seconds). Returns it as it is then.

    If the SDK repeats the request, an event may count twice: that costs one status check more.
    Raises Throttled, TemporarilyUnavailable.
    """
    due = {"due_pk": keys.due_partition(payment_id), "due_at": now}
    expression = "ADD #received :one SET #due_pk = :due_pk, #due_at = :due_at"
    return _update(payment_id, expression, {}, {"one": 1, **due})


def cover(seen: EventCounter) -> bool:
    """Note that a status check that began after `seen` was read has written what it found.

    Returns False if another event was counted meanwhile; the counter then stays due. Raises
    Throttled, TemporarilyUnavailable.
    """
    return _change(seen, "SET #covered = :received REMOVE #due_pk, #due_at, #failing_since", {})


def postpone(seen: EventCounter, due_at: int, failing_since: int) -> None:
    """Set when the next status check is due, after one that failed. Both in seconds.

    Not if another event was counted meanwhile: then it stays due at once. Raises Throttled,
    TemporarilyUnavailable.
    """
    later = {"due_at": due_at, "failing_since": failing_since}
    _change(seen, "SET #due_at = :due_at, #failing_since = :failing_since", later)


def _change(seen: EventCounter, expression: str, values: dict[str, int]) -> bool:
    """Change the counter unless another event was counted. Returns whether it was changed."""
    guard = dynamodb.condition("#received = :received", received=seen.received)
    try:
        _update(seen.payment_id, expression, guard, values)
    except dynamodb.ConditionFailed:
        return False
    return True


def remove(seen: EventCounter) -> None:
    """Delete the counter of a payment that is not ours, unless another event was counted."""
    guard = dynamodb.condition("#received = :received", received=seen.received)
    with suppress(dynamodb.ConditionFailed):
        dynamodb.write(dynamodb.delete(keys.event_counter(seen.payment_id), guard))


def _update(
    payment_id: str, expression: str, guard: dict[str, Any], values: dict[str, Any]
) -> EventCounter:
    """Send one update. Returns the counter as it is afterwards. Raises ConditionFailed."""
    names = {word.strip(",") for word in expression.split() if word.startswith("#")}
    action = {
        "TableName": config.table_name("ledger"),
        "Key": dynamodb.key_of(keys.event_counter(payment_id)),
        "UpdateExpression": expression,
        "ReturnValues": "ALL_NEW",
        **guard,
        "ExpressionAttributeNames": {name: name[1:] for name in names}
        | guard.get("ExpressionAttributeNames", {}),
        "ExpressionAttributeValues": dynamodb.typed({f":{k}": v for k, v in values.items()})
        | guard.get("ExpressionAttributeValues", {}),
    }
    return _counter(payment_id, dynamodb.write({"Update": action}))
