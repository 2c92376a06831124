"""The timeline: which changes make entries and events, their hash, and where a chain breaks.

Source: docs/payment-correctness.md, section 4; docs/api/native.md, section 4.
"""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from bridge.core.payment_state import timeline
from bridge.models.payment import (
    AttemptOutcome,
    DisputeChange,
    Entry,
    Payment,
    RefundChange,
)
from bridge.models.provider import Dispute, Failure, NextAction
from bridge.models.refund import Refund
from tests.records import attempt, payment

AT = datetime(2025, 1, 15, 10, 30, 0, 123456, tzinfo=UTC)
FACTS: list[dict[str, Any]] = [
    {"status": "succeeded"},
    {"total_cents": 3000},
    {"currency": "EUR"},
    {"captured_cents": 1},
    {"refunded_cents": 1},
    {"provider_payment_id": "pi_2"},
    {"charge_id": "ch_2"},
    {"dispute": Dispute(id="dp_1", state="open")},
]
NO_FACTS: list[dict[str, Any]] = [
    {"description": "other"},
    {"is_open": True},
    {"next_action": NextAction(type="use_client_secret")},
    {"failure": Failure(code="c", message="m")},
    {"due_at": 1},
    {"version": 9},
    {"refundable_cents": 1},
    {"announced": "created"},
    {"is_contradicted": True},
    {"provider_method": "digest"},
    {"setup_future_usage": "off_session"},
]
PAID: dict[str, Any] = {"status": "succeeded", "captured_cents": 2000, "announced": "succeeded"}
OPEN = Dispute(id="dp_1", state="open")


def refund(number: int = 1, status: str = "succeeded") -> Refund:
    known = {"id": f"ref_{number}", "payment_id": "pay_1", "currency": "USD", "status": status}
    times = {"created_at": AT, "updated_at": AT}
    return msgspec.convert(known | times | {"amount_cents": 100 * number}, Refund)


def entry_of(before: Payment, *refunds: Refund, **more: object) -> Entry:
    """The one entry for a change of these fields."""
    (entry,) = timeline.write_entries(before, replace(before, **more), refunds, None, "api")[1]
    return entry


def events_of(row: Payment, *changes: dict[str, Any]) -> list[str | None]:
    """The status event of each entry, while the row changes step by step."""
    events = []
    for change in changes:
        row, entries = timeline.write_entries(row, replace(row, **change), [], None, "webhook")
        events += [entry.event for entry in entries]
    return events


def chain(*statuses: str) -> tuple[list[Entry], Payment]:
    """A payment that went through these states, with its whole timeline."""
    row, entries = payment(status="new"), []
    for status in statuses:
        row, more = timeline.write_entries(row, replace(row, status=status), [], None, "api")
        entries += more
    return entries, row


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: next(iter(fact)))
def test_differ_is_true_for_each_fact(fact: dict[str, Any]) -> None:
    before = payment(provider_payment_id="pi_1", charge_id="ch_1")
    assert timeline.differ(before, replace(before, **fact))


@pytest.mark.parametrize("other", NO_FACTS, ids=lambda other: next(iter(other)))
def test_differ_is_false_for_what_is_not_a_fact(other: dict[str, Any]) -> None:
    assert not timeline.differ(payment(), replace(payment(), **other))


def test_entry_names_both_states_and_is_chained_to_the_last_one() -> None:
    before = payment(sequence=3, last_hash="the last hash", changed_at=AT)
    after = replace(before, status="processing")
    row, (entry,) = timeline.write_entries(before, after, [], None, "webhook")
    assert (entry.sequence, entry.from_status, entry.to_status) == (4, "created", "processing")
    assert (entry.cause, entry.event) == ("webhook", "payment.processing")
    assert (entry.refund, entry.dispute) == (None, None)
    assert entry.previous_hash == "the last hash"
    assert entry.at == AT.replace(microsecond=0)
    assert (entry.operation, entry.attempt, entry.request_hash, entry.outcome) == (None,) * 4
    written = replace(after, sequence=4, last_hash=entry.hash, announced="processing")
    assert row == written


def test_entry_of_an_ended_attempt_names_operation_number_and_outcome() -> None:
    before = payment(active_attempt=attempt())
    after = replace(before, active_attempt=None, status="failed")
    outcome = AttemptOutcome(attempt=2, kind="refused")
    _, (entry,) = timeline.write_entries(before, after, [], outcome, "api")
    assert (entry.operation, entry.attempt) == ("confirm", 2)
    assert (entry.request_hash, entry.outcome) == ("h", "refused")


def test_entry_without_outcome_does_not_name_the_active_attempt() -> None:
    entry = entry_of(payment(active_attempt=attempt()), status="requires_action")
    assert (entry.operation, entry.attempt, entry.outcome) == (None, None, None)


def test_event_is_the_displayed_status() -> None:
    entry = entry_of(payment(**PAID), refunded_cents=500)
    assert (entry.to_status, entry.event) == ("succeeded", "payment.partially_refunded")


def test_event_only_if_the_displayed_status_is_not_announced_yet() -> None:
    assert events_of(
        payment(status="new"),
        {"provider_payment_id": "pi_1", "status": "created"},
        {"total_cents": 3000},
        {"status": "processing"},
        {"charge_id": "ch_1"},
        {"status": "failed"},
        {"charge_id": "ch_2"},
    ) == ["payment.created", None, "payment.processing", None, "payment.failed", None]


def test_entry_without_event_keeps_what_was_announced() -> None:
    before = payment(announced="created")
    row, (entry,) = timeline.write_entries(
        before, replace(before, charge_id="ch_1"), [], None, "api"
    )
    assert (entry.event, row.announced) == (None, "created")


@pytest.mark.parametrize(
    ("change", "back", "event"),
    [
        ({"refunded_cents": 500}, {"refunded_cents": 0}, "payment.partially_refunded"),
        ({"refunded_cents": 2000}, {"refunded_cents": 0}, "payment.refunded"),
        ({"dispute": OPEN}, {"dispute": replace(OPEN, state="won")}, "payment.disputed"),
    ],
)
def test_payment_succeeded_is_never_sent_a_second_time(
    change: dict[str, Any], back: dict[str, Any], event: str
) -> None:
    """A refund that failed and a dispute that was won are told by events of their own."""
    paid = {"status": "succeeded", "captured_cents": 2000}
    changes = [paid, change, back, {"charge_id": "ch_2"}]
    assert events_of(payment(), *changes) == ["payment.succeeded", event, None, None]


def test_payment_that_was_canceled_and_is_paid_after_all_has_succeeded() -> None:
    canceled = {"status": "canceled"}
    paid = {"status": "succeeded", "captured_cents": 2000}
    assert events_of(payment(), canceled, paid) == ["payment.canceled", "payment.succeeded"]


@pytest.mark.parametrize("status", ["pending", "succeeded", "failed"])
def test_entry_tells_of_the_refund_that_changed(status: str) -> None:
    entry = entry_of(payment(**PAID), refund(5, status))
    assert (entry.event, entry.dispute) == (None, None)
    assert entry.refund
    assert entry.refund == msgspec.convert(
        {"id": "ref_5", "amount_cents": 500, "currency": "USD", "status": status}, RefundChange
    )


def test_each_further_refund_or_dispute_makes_an_entry_of_its_own() -> None:
    attempted = {"active_attempt": attempt(operation="refund")}
    before = payment(sequence=7, last_hash="x", **PAID | attempted | {"status": "processing"})
    changes: dict[str, Any] = {"refunded_cents": 300, "dispute": OPEN, "active_attempt": None}
    after = replace(before, status="succeeded", **changes)
    outcome = AttemptOutcome(attempt=2, kind="done")
    row, entries = timeline.write_entries(before, after, [refund(1), refund(2)], outcome, "sweep")
    first, second, third = entries
    assert [each.sequence for each in entries] == [8, 9, 10]
    assert [each.refund and each.refund.id for each in entries] == ["ref_1", "ref_2", None]
    assert [each.dispute and each.dispute.id for each in entries] == [None, None, "dp_1"]
    assert [each.event for each in entries] == ["payment.disputed", None, None]
    assert [each.from_status for each in entries] == ["processing", "succeeded", "succeeded"]
    assert {each.to_status for each in entries} == {"succeeded"}
    assert (first.operation, first.attempt, first.outcome) == ("refund", 2, "done")
    for each in (second, third):
        assert (each.operation, each.attempt, each.request_hash, each.outcome) == (None,) * 4
        assert (each.cause, each.at) == ("sweep", first.at)
    assert [each.previous_hash for each in entries] == ["x", first.hash, second.hash]
    assert (row.sequence, row.last_hash, row.announced) == (10, third.hash, "disputed")


@pytest.mark.parametrize(
    ("known", "found", "change"),
    [
        (None, OPEN, "opened"),
        (Dispute(id="dp_0", state="won"), OPEN, "opened"),
        (replace(OPEN, state="won"), OPEN, "updated"),  # a closed inquiry became a dispute
        (OPEN, replace(OPEN, state="won"), "won"),
        (OPEN, replace(OPEN, state="lost"), "lost"),
        (None, replace(OPEN, state="lost"), "lost"),
        (replace(OPEN, state="lost"), replace(OPEN, state="won"), "won"),
    ],
)
def test_entry_tells_that_a_dispute_was_opened_updated_won_or_lost(
    known: Dispute | None, found: Dispute, change: str
) -> None:
    entry = entry_of(payment(dispute=known, **PAID), dispute=found)
    assert entry.dispute == msgspec.convert({"id": "dp_1", "change": change}, DisputeChange)


def test_entry_does_not_tell_of_a_dispute_that_is_as_before() -> None:
    assert entry_of(payment(dispute=OPEN, **PAID), charge_id="ch_2").dispute is None


def test_hash_is_sha256_over_canonical_json_of_what_callers_see() -> None:
    """Computed here by hand: the keys sorted, no spaces, all fields but `hash`."""
    (entry,), _ = chain("created")
    body = {
        "at": "2025-01-15T10:30:00Z",
        "attempt": None,
        "cause": "api",
        "dispute": None,
        "event": "payment.created",
        "from": "new",
        "operation": None,
        "outcome": None,
        "previous_hash": "",
        "refund": None,
        "request_hash": None,
        "seq": 1,
        "to": "created",
    }
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    assert entry.hash == timeline.hash_of(entry) == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    "change",
    [
        {"sequence": 2},
        {"at": AT},
        {"from_status": "failed"},
        {"to_status": "failed"},
        {"cause": "sweep"},
        {"event": "payment.failed"},
        {"event": None},
        {"refund": RefundChange(id="ref_1", amount_cents=1, currency="USD", status="failed")},
        {"dispute": DisputeChange(id="dp_1", change="won")},
        {"previous_hash": "x"},
        {"outcome": "done"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_hash_differs_for_every_other_field(change: dict[str, Any]) -> None:
    (entry,), _ = chain("created")
    assert timeline.hash_of(replace(entry, **change)) != entry.hash


def test_find_break_is_none_for_a_whole_chain() -> None:
    entries, row = chain("created", "processing", "succeeded")
    assert timeline.find_break(entries, row) is None
    assert timeline.find_break([], payment()) is None


@pytest.mark.parametrize("place", [1, 2, 3])
def test_find_break_is_the_place_of_a_changed_or_unreadable_entry(place: int) -> None:
    entries, row = chain("created", "processing", "succeeded")
    changed = replace(entries[place - 1], cause="sweep")
    for other in (changed, None):
        broken: list[Entry | None] = [*entries[: place - 1], other, *entries[place:]]
        assert timeline.find_break(broken, row) == place


def test_find_break_notices_an_entry_that_was_hashed_again() -> None:
    entries, row = chain("created", "processing", "succeeded")
    changed = replace(entries[1], to_status="failed")
    changed = replace(changed, hash=timeline.hash_of(changed))
    assert timeline.find_break([entries[0], changed, entries[2]], row) == 3


@pytest.mark.parametrize("place", [1, 2, 3])
def test_find_break_notices_a_missing_entry(place: int) -> None:
    entries, row = chain("created", "processing", "succeeded")
    assert timeline.find_break(entries[: place - 1] + entries[place:], row) == place


def test_find_break_notices_an_entry_that_the_row_does_not_name() -> None:
    entries, row = chain("created", "processing")
    assert timeline.find_break(entries, replace(row, last_hash="x")) == 3
    more, _ = chain("created", "processing", "succeeded")
    assert timeline.find_break(more, row) == 3
