"""The timeline: which changes make an entry, its hash, and where a chain breaks.

Source: docs/payment-correctness.md, section 4.
"""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from bridge.core.payment_state import timeline
from bridge.models.payment import AttemptOutcome, Entry, Payment
from bridge.models.provider import Dispute, Failure, NextAction
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
]


def chain(*statuses: str) -> tuple[list[Entry], Payment]:
    """A payment that went through these states, with its whole timeline."""
    row, entries = payment(status="new"), []
    for status in statuses:
        after = replace(row, status=status, sequence=row.sequence + 1)
        entries.append(timeline.entry_of(row, after, None, "api"))
        row = replace(after, last_hash=entries[-1].hash)
    return entries, row


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: next(iter(fact)))
def test_differ_is_true_for_each_fact(fact: dict[str, Any]) -> None:
    before = payment(provider_payment_id="pi_1", charge_id="ch_1")
    assert timeline.differ(before, replace(before, **fact))


@pytest.mark.parametrize("other", NO_FACTS, ids=lambda other: next(iter(other)))
def test_differ_is_false_for_what_is_not_a_fact(other: dict[str, Any]) -> None:
    assert not timeline.differ(payment(), replace(payment(), **other))


def test_entry_names_both_states_and_is_chained_to_the_last_one() -> None:
    before = payment(sequence=3, last_hash="the last hash")
    after = replace(before, status="processing", sequence=4)
    entry = timeline.entry_of(before, after, None, "webhook")
    assert (entry.sequence, entry.from_status, entry.to_status) == (4, "created", "processing")
    assert (entry.cause, entry.event) == ("webhook", "payment.processing")
    assert entry.previous_hash == "the last hash"
    assert entry.at == AT.replace(microsecond=0)
    assert (entry.operation, entry.attempt, entry.request_hash, entry.outcome) == (None,) * 4


def test_entry_of_an_ended_attempt_names_operation_number_and_outcome() -> None:
    before = payment(active_attempt=attempt())
    after = replace(before, active_attempt=None, status="failed", sequence=1)
    entry = timeline.entry_of(before, after, AttemptOutcome(attempt=2, kind="refused"), "api")
    assert (entry.operation, entry.attempt) == ("confirm", 2)
    assert (entry.request_hash, entry.outcome) == ("h", "refused")


def test_entry_without_outcome_does_not_name_the_active_attempt() -> None:
    before = payment(active_attempt=attempt())
    after = replace(before, status="requires_action", sequence=1)
    entry = timeline.entry_of(before, after, None, "sweep")
    assert (entry.operation, entry.attempt, entry.outcome) == (None, None, None)


def test_entry_event_is_the_displayed_status() -> None:
    before = payment(status="succeeded", captured_cents=2000)
    after = replace(before, refunded_cents=500, sequence=1)
    entry = timeline.entry_of(before, after, None, "api")
    assert (entry.to_status, entry.event) == ("succeeded", "payment.partially_refunded")


def test_hash_is_sha256_over_canonical_json_of_what_callers_see() -> None:
    """Computed here by hand: the keys sorted, no spaces, all fields but `hash`."""
    (entry,), _ = chain("created")
    body = {
        "at": "2025-01-15T10:30:00Z",
        "attempt": None,
        "cause": "api",
        "event": "payment.created",
        "from": "new",
        "operation": None,
        "outcome": None,
        "previous_hash": "",
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
