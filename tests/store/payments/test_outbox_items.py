"""Cursors over the outbox. Source: docs/data-model.md, section 7."""

from typing import Any

import pytest
from msgspec.structs import replace

from bridge import config
from bridge.models.outbox import ChangedKey, Cursor, EntryEvents, Event
from bridge.store import dynamodb, keys
from bridge.store.payments import outbox_items
from local import database
from tests.store.conftest import Wire, payment

pytestmark = pytest.mark.usefixtures("tables")
ROW = payment(id="pay_1")
NOW = 1_800_000_000


REFUND = {"id": "ref_1", "amount_cents": 500, "currency": "USD", "status": "pending"}
DISPUTE = {"id": "dp_1", "change": "opened"}


def put_entry(number: int, payment_id: str = "pay_1", **more: object) -> None:
    """An entry with the event `payment.<number>`, if `more` does not say otherwise."""
    item = {
        "sequence": number,
        "at": ROW.created_at,
        "from_status": "new",
        "to_status": "a word of a newer release",
        "event": f"payment.{number}",
    }
    dynamodb.write(dynamodb.put(keys.entry(payment_id, number), item | more))


def put_entries(*sequences: int, payment_id: str = "pay_1") -> None:
    """Entries with one event each."""
    for number in sequences:
        put_entry(number, payment_id)


def events_after(sent: int = 0) -> list[EntryEvents]:
    return outbox_items.list_after(Cursor(payment_id="pay_1", sent=sent))


def test_get_cursor_is_at_zero_if_it_was_never_written() -> None:
    assert outbox_items.get_cursor("pay_1") == Cursor(payment_id="pay_1")


def test_list_after_returns_later_entries_of_that_payment_in_order() -> None:
    put_entries(10, 2, 9, 1, 3)
    put_entries(4, payment_id="pay_2")
    listed = events_after(2)
    assert [entry.sequence for entry in listed] == [3, 9, 10]
    events = [event for entry in listed for event in entry.events]
    assert [event.sequence for event in events] == [3, 9, 10]
    assert {event.payment_id for event in events} == {"pay_1"}
    assert [event.name for event in events] == ["payment.3", "payment.9", "payment.10"]
    assert events[0].to_status == "a word of a newer release"
    assert events[0].about == {}


def test_list_after_returns_entries_without_events_too() -> None:
    put_entry(1, event=None)
    put_entry(2)
    assert [(entry.sequence, len(entry.events)) for entry in events_after()] == [(1, 0), (2, 1)]


@pytest.mark.parametrize(
    ("change", "name", "about"),
    [
        (
            {"refund": REFUND},
            "refund.pending",
            {"refund_id": "ref_1", "amount_cents": 500, "currency": "USD"},
        ),
        (
            {"refund": REFUND | {"status": "failed"}},
            "refund.failed",
            {"refund_id": "ref_1", "amount_cents": 500, "currency": "USD"},
        ),
        ({"dispute": DISPUTE}, "dispute.opened", {"dispute_id": "dp_1"}),
        ({"dispute": DISPUTE | {"change": "lost"}}, "dispute.lost", {"dispute_id": "dp_1"}),
    ],
)
def test_refund_or_dispute_of_an_entry_is_its_second_event(
    change: dict[str, Any], name: str, about: dict[str, Any]
) -> None:
    put_entry(1, **change)
    put_entry(2, event=None, **change)
    first, second = events_after()
    known: dict[str, Any] = {
        "payment_id": "pay_1",
        "from_status": "new",
        "to_status": "a word of a newer release",
        "at": ROW.created_at,
    }
    status = Event(name="payment.1", sequence=1, **known)
    assert first.events == (status, Event(name=name, sequence=1, about=about, **known))
    assert second.events == (Event(name=name, sequence=2, about=about, **known),)


def test_list_after_returns_one_page_of_entries_at_most() -> None:
    put_entries(*range(1, outbox_items.PAGE + 1))
    put_entry(outbox_items.PAGE + 1, refund=REFUND)
    put_entry(outbox_items.PAGE + 2, event=None)
    assert len(events_after()) == outbox_items.PAGE
    assert [len(entry.events) for entry in events_after(outbox_items.PAGE)] == [2, 0]


def test_move_stores_the_cursor_and_its_due_entry() -> None:
    seen = outbox_items.get_cursor("pay_1")
    moved = outbox_items.move(seen, replace(seen, sent=3, due_at=NOW, failing_since=NOW - 5))
    assert outbox_items.get_cursor("pay_1") == moved
    assert (moved.sent, moved.version) == (3, 1)

    def due() -> list[str]:
        name = config.table_name("ledger")
        items = database.client().scan(TableName=name, IndexName="due")["Items"]
        return [item["sk"]["S"] for item in items]

    assert due() == ["D#bus"]
    outbox_items.move(moved, replace(moved, due_at=None))
    assert due() == []


@pytest.mark.parametrize("written", [0, 1, 2])
def test_move_from_an_older_version_raises_version_conflict(written: int) -> None:
    seen = outbox_items.get_cursor("pay_1")
    for _ in range(written):
        seen = outbox_items.move(seen, seen)
    outbox_items.move(seen, replace(seen, due_at=NOW))
    for late in (seen, replace(seen, sent=seen.sent + 1)):
        with pytest.raises(dynamodb.VersionConflict):
            outbox_items.move(seen, late)
    assert outbox_items.get_cursor("pay_1").due_at == NOW


@pytest.mark.slow
def test_move_raises_throttled_if_dynamodb_throttles(wire: Wire) -> None:
    kind = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"
    wire.answer("PutItem", 400, {"__type": kind}, times=None)
    seen = outbox_items.get_cursor("pay_1")
    with pytest.raises(dynamodb.Throttled):
        outbox_items.move(seen, seen)


def test_payments_of_returns_each_payment_once() -> None:
    changed = [
        ChangedKey(keys.entry(each, number).pk, keys.entry(each, number).sk)
        for each, number in (("pay_2", 1), ("pay_1", 1), ("pay_2", 2), ("pay_123", 7))
    ]
    assert outbox_items.payments_of(changed) == ["pay_2", "pay_1", "pay_123"]
