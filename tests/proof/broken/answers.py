"""Broken answers, and what must be written together and is not.

Source: docs/payment-correctness.md, section 4, rules 9 and 19.
"""

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from bridge.core.payment_state import attempts, commit
from bridge.core.rules import crash_points, idempotency
from bridge.models.idempotency import IdempotencyRecord
from bridge.models.model import json_of, values_of
from bridge.models.payment import ActiveAttempt, AttemptOutcome, Payment, PaymentResult
from bridge.models.provider import Failure, ProviderPayment
from bridge.models.refund import Refund
from bridge.store import dynamodb, keys
from bridge.store.dedupe import idempotency_items
from bridge.store.payments import payment_writes

Close = Callable[[IdempotencyRecord, AttemptOutcome, "Payment | Refund"], IdempotencyRecord | None]


def _apart(
    patch: pytest.MonkeyPatch,
    name: str,
    nothing: object,
    actions: Callable[[Payment, Any], dynamodb.Actions],
) -> None:
    """T2 is sent without its argument `name`. What that makes comes in a write of its own."""
    real = payment_writes.commit_transition
    signature = inspect.signature(real)

    def commit_transition(*given: Any, **how: Any) -> Payment:
        call = signature.bind(*given, **how)
        value = call.arguments.get(name)
        call.arguments[name] = nothing
        written = real(*call.args, **call.kwargs)
        crash_points.reach("committed", written.id)
        if value:
            dynamodb.transact(actions(written, value))
        return written

    patch.setattr(payment_writes, "commit_transition", commit_transition)


def record_apart(patch: pytest.MonkeyPatch) -> None:
    """The idempotency record is completed in a write of its own (rule 9)."""
    _apart(
        patch, "record", None, lambda _, record: {"record": idempotency_items.close_action(record)}
    )


def saved_apart(patch: pytest.MonkeyPatch) -> None:
    """The method that paid is saved in a write of its own (section 4)."""
    _apart(patch, "saved", None, lambda _, saved: saved)


def entries_apart(patch: pytest.MonkeyPatch) -> None:
    """The timeline entries are written in a write of their own (section 4)."""

    def actions(payment: Payment, entries: Any) -> dynamodb.Actions:
        places = {keys.entry(payment.id, each.sequence): each for each in entries}
        return {key.sk: dynamodb.put(key, values_of(each)) for key, each in places.items()}

    _apart(patch, "entries", (), actions)


def refunds_apart(patch: pytest.MonkeyPatch) -> None:
    """The refunds that changed are written in a write of their own (section 4)."""

    def actions(payment: Payment, refunds: Any) -> dynamodb.Actions:
        places = {keys.refund(payment.id, each.id): each for each in refunds}
        return {key.sk: dynamodb.put(key, values_of(each)) for key, each in places.items()}

    _apart(patch, "refunds", (), actions)


def record_before_lock(patch: pytest.MonkeyPatch) -> None:
    """The idempotency record is opened before T1, in a write of its own (rule 9)."""
    real = payment_writes.lock

    def lock(seen: Payment, locked: Payment, record: IdempotencyRecord | None) -> Payment:
        if record:
            action = idempotency_items.open_action(record, locked.locked_attempt.at)
            try:
                dynamodb.write(action)
            except dynamodb.ConditionFailed as failed:
                raise idempotency_items.taken(failed.items["it"]) from failed
        return real(seen, locked, None)

    patch.setattr(payment_writes, "lock", lock)


def _closed(patch: pytest.MonkeyPatch, close: Close) -> None:
    """The record of an attempt that ended is closed in another way."""
    real = commit._closed_record

    def closed_record(
        before: Payment,
        after: Payment,
        refunds: list[Refund],
        outcome: AttemptOutcome | None,
        now: int,
    ) -> IdempotencyRecord | None:
        record = real(before, after, refunds, outcome, now)
        if record is None or outcome is None:
            return record
        refund = next((each for each in refunds if each.id == record.subject_id), None)
        return close(record, outcome, refund or after)

    patch.setattr(commit, "_closed_record", closed_record)


def record_left_open(patch: pytest.MonkeyPatch) -> None:
    """The response is not stored when the attempt ends (rule 9)."""
    _closed(patch, lambda *_: None)


def record_not_freed(patch: pytest.MonkeyPatch) -> None:
    """The record of a call that was refused or not sent stays open (section 4, action 3)."""
    _closed(patch, lambda record, *_: record if record.state == "done" else None)


def refusal_stored(patch: pytest.MonkeyPatch) -> None:
    """The payment is stored as the response of a call that was refused (rule 19)."""

    def close(
        record: IdempotencyRecord, outcome: AttemptOutcome, subject: Payment | Refund
    ) -> IdempotencyRecord:
        if outcome.kind != "refused":
            return record
        return replace(record, state="done", snapshot=json_of(subject))

    _closed(patch, close)


def decline_not_stored(patch: pytest.MonkeyPatch) -> None:
    """A decline frees the client's key (rule 19)."""
    _closed(patch, lambda record, *_: replace(record, state="free") if record.declined else record)


def later_state_stored(patch: pytest.MonkeyPatch) -> None:
    """The stored response has the state of a later check, not the worker's decline (rule 19)."""

    def decline_of(
        attempt: ActiveAttempt, outcome: AttemptOutcome, after: Payment | ProviderPayment
    ) -> Failure | None:
        return after.failure if after.status == "failed" else None

    patch.setattr(commit, "decline_of", decline_of)


def own_answer_given(patch: pytest.MonkeyPatch) -> None:
    """A worker answers what it knows, though the record says something else (rule 19)."""
    patch.setattr(attempts, "stored_answer", lambda *_: None)


def unknown_stored(patch: pytest.MonkeyPatch) -> None:
    """A 202 is stored as the final response (rule 19)."""
    real = attempts._unknown

    def unknown(locked: Payment) -> PaymentResult:
        attempt = locked.locked_attempt
        if key := attempt.client_key:
            subject = attempt.refund or locked
            record = IdempotencyRecord(
                key=key.record,
                fingerprint=key.fingerprint,
                subject_id=subject.id,
                state="done",
                snapshot=json_of(subject),
                expires=key.expires,
            )
            idempotency_items.close(record)
        return real(locked)

    patch.setattr(attempts, "_unknown", unknown)


def fingerprint_ignored(patch: pytest.MonkeyPatch) -> None:
    """A client's key that comes with another request gets the response of the first (section 5)."""
    patch.setattr(idempotency, "check_same", lambda *_: None)


def other_request_joins(patch: pytest.MonkeyPatch) -> None:
    """Another request than the one under way gets its 202 (section 2)."""
    patch.setattr(attempts, "_join_running_attempt", lambda payment, *_: attempts._unknown(payment))


MUTATIONS = (
    record_apart,
    saved_apart,
    entries_apart,
    refunds_apart,
    record_before_lock,
    record_left_open,
    record_not_freed,
    refusal_stored,
    decline_not_stored,
    later_state_stored,
    own_answer_given,
    unknown_stored,
    fingerprint_ignored,
    other_request_joins,
)
