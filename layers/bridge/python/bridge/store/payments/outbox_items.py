"""Events to deliver. The timeline is the outbox; a cursor says how far it has been delivered.

Source: docs/data-model.md, section 7.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec
from msgspec.structs import replace

from bridge.models.model import present_values_of
from bridge.models.outbox import ChangedKey, Cursor, EntryEvents, Event
from bridge.store import dynamodb, keys
from bridge.store.dynamodb import Item

PAGE = 100  # entries of one payment that are read at once
HIGHEST = 9_999_999_999


def payments_of(changed: Iterable[ChangedKey]) -> list[str]:
    """The payments whose items have changed, each once."""
    return list(dict.fromkeys(keys.payment_id(each.pk) for each in changed))


def get_cursor(payment_id: str) -> Cursor:
    """The cursor of the bus. One that was never written is at 0, before the first event."""
    item = dynamodb.get(keys.event_cursor(payment_id)) or {}
    return msgspec.convert(item | {"payment_id": payment_id}, Cursor)


def list_after(cursor: Cursor) -> list[EntryEvents]:
    """The events of the next timeline entries, in their order; PAGE entries at most.

    Strongly consistent. The cursor must have been read before, so that no entry is missed between
    the two reads.
    """
    first, last = (keys.entry(cursor.payment_id, number) for number in (cursor.sent + 1, HIGHEST))
    items = islice(dynamodb.query_between(first.pk, first.sk, last.sk, Limit=PAGE), PAGE)
    return [
        EntryEvents(sequence=item["sequence"], events=tuple(_events(cursor.payment_id, item)))
        for item in items
    ]


def _events(payment_id: str, item: Item) -> Iterator[Event]:
    """First the payment's new status, then the refund or the dispute."""
    known = item | {"payment_id": payment_id}
    if name := item.get("event"):
        yield msgspec.convert(known | {"name": name}, Event)
    if refund := item.get("refund"):
        name = f"refund.{refund['status']}"
        about = {"refund_id": refund["id"]} | {k: refund[k] for k in ("amount_cents", "currency")}
        yield msgspec.convert(known | {"name": name, "about": about}, Event)
    if dispute := item.get("dispute"):
        name, about = f"dispute.{dispute['change']}", {"dispute_id": dispute["id"]}
        yield msgspec.convert(known | {"name": name, "about": about}, Event)


def move(seen: Cursor, after: Cursor) -> Cursor:
    """Write the cursor if it is still as `seen`. Raises VersionConflict, Throttled.

    Every write raises the version, also one that only defers a delivery. Otherwise a worker that
    has delivered an earlier event could remove the due entry of a later one.
    """
    after = replace(after, version=seen.version + 1)
    item = present_values_of(after, "payment_id")
    if after.due_at is not None:
        item["due_pk"] = keys.due_partition(seen.payment_id)
    guard = dynamodb.condition("attribute_not_exists(#pk)")
    if seen.version:
        guard = dynamodb.condition("#version = :seen", seen=seen.version)
    try:
        dynamodb.write(dynamodb.put(keys.event_cursor(seen.payment_id), item, guard))
    except dynamodb.ConditionFailed as failed:
        raise dynamodb.VersionConflict(seen.payment_id) from failed
    return after
