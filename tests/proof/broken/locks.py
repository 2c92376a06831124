"""Broken locks, versions, leases and outcomes.

Source: docs/payment-correctness.md, rules 1 to 6, 8, 11 and 12.
"""

import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from msgspec.structs import replace

from bridge.core.payment_state import attempts, commit, merge, synchronize
from bridge.errors import BridgeError, ProviderUnavailable, UnknownOutcome
from bridge.models.idempotency import IdempotencyRecord
from bridge.models.payment import AttemptOutcome, Payment, PaymentResult
from bridge.models.provider import ProviderPayment
from bridge.models.run_context import RunContext
from bridge.providers import registry
from bridge.store import dynamodb
from bridge.store.payments import payment_writes

NO_LOCK = "attribute_not_exists(#active_attempt)"


def _row_condition(patch: pytest.MonkeyPatch, *, t1: bool, becomes: str) -> None:
    """T1, or every other write of a payment's row, gets another condition.

    Such a write does not know the row as it is. When it is due is written whole: a half of that is
    not in the index.
    """
    real = dynamodb.change

    def change(key: Any, before: Any, after: Any, guard: dict[str, Any]) -> dict[str, Any]:
        if key.sk != "P" or (NO_LOCK in guard["ConditionExpression"]) != t1:
            return real(key, before, after, guard)
        if "due_pk" in after:
            before = {name: it for name, it in before.items() if name not in ("due_pk", "due_at")}
        return real(key, before, after, dynamodb.condition(becomes))

    patch.setattr(dynamodb, "change", change)


def no_lock(patch: pytest.MonkeyPatch) -> None:
    """T1 does not check that there is no active attempt (rule 2)."""
    _row_condition(patch, t1=True, becomes="attribute_exists(#pk)")


def lock_without_version(patch: pytest.MonkeyPatch) -> None:
    """T1 checks that there is no lock, and not that the row is as it was read (rule 5)."""
    _row_condition(patch, t1=True, becomes=NO_LOCK)


def no_version_check(patch: pytest.MonkeyPatch) -> None:
    """T2, and the write of "nothing changed", do not check the version (rule 5)."""
    _row_condition(patch, t1=False, becomes="attribute_exists(#pk)")


def version_read_last(patch: pytest.MonkeyPatch) -> None:
    """A status check reads the version after it has asked the provider (rule 5)."""
    real = commit.write

    def write(
        payment: Payment,
        provider_state: ProviderPayment | None,
        own_outcome: AttemptOutcome | None,
        run: RunContext,
    ) -> Payment:
        seen = payment if own_outcome else synchronize._read_again(payment, run)
        return real(seen, provider_state, own_outcome, run)

    patch.setattr(commit, "write", write)


def no_bump(patch: pytest.MonkeyPatch) -> None:
    """Nothing new was found, so the version stays (rule 6)."""
    real = payment_writes._next_version

    def stay(seen: Payment, after: Payment) -> Payment:
        raised = real(seen, after)
        is_new = after.active_attempt != seen.active_attempt or after.sequence != seen.sequence
        return raised if is_new else replace(raised, version=seen.version)

    patch.setattr(payment_writes, "_next_version", stay)


def number_used_again(patch: pytest.MonkeyPatch) -> None:
    """An attempt gets the number, and so the provider key, of the one before it (section 1)."""
    real = attempts.lock_for

    def lock_for(payment: Payment, *given: Any, **how: Any) -> Payment:
        before = max(payment.attempts - 1, min(payment.attempts, 1))
        return real(replace(payment, attempts=before), *given, **how)

    patch.setattr(attempts, "lock_for", lock_for)


def lock_not_due(patch: pytest.MonkeyPatch) -> None:
    """A payment is not due while its attempt is active (rule 8)."""
    real = attempts.lock_for

    def lock_for(*given: Any, **how: Any) -> Payment:
        return replace(real(*given, **how), due_at=None)

    patch.setattr(attempts, "lock_for", lock_for)


def _after_no_answer(
    patch: pytest.MonkeyPatch, then: Callable[[Payment, attempts.Send], ProviderPayment]
) -> None:
    """A call without an answer is followed by `then`, instead of being unknown."""
    real = attempts._send

    def send_and(locked: Payment, send: attempts.Send, run: RunContext) -> PaymentResult:
        def once(payment: Payment) -> ProviderPayment:
            try:
                return send(payment)
            except UnknownOutcome:
                return then(payment, send)

        return real(locked, once, run)

    patch.setattr(attempts, "_send", send_and)


def blind_resend(patch: pytest.MonkeyPatch) -> None:
    """No answer, so the call is sent again, with another provider key (rule 3)."""

    def once_more(payment: Payment, send: attempts.Send) -> ProviderPayment:
        attempt = payment.locked_attempt
        attempt = replace(attempt, key=f"{uuid.uuid4().hex}.{attempt.number}")
        return send(replace(payment, active_attempt=attempt))

    _after_no_answer(patch, once_more)


def refund_sent_by_a_check(patch: pytest.MonkeyPatch) -> None:
    """The status check of a refund is the same call again (rule 3)."""
    real = synchronize._fetch_state

    def fetch(payment: Payment, run: RunContext, own_outcome: AttemptOutcome | None) -> Any:
        attempt = payment.active_attempt
        if attempt and attempt.refund and not own_outcome:
            provider = registry.open_provider(payment.provider_id)
            with suppress(BridgeError):
                provider.refund_payment(
                    payment, attempt.refund, key=attempt.key, ends_at=run.ends_at
                )
        return real(payment, run, own_outcome)

    patch.setattr(synchronize, "_fetch_state", fetch)


def unlock_on_timeout(patch: pytest.MonkeyPatch) -> None:
    """No answer, so the lock is released (rule 4)."""
    real = attempts._send

    def send(locked: Payment, send: attempts.Send, run: RunContext) -> PaymentResult:
        result = real(locked, send, run)
        if result.retry_after is None:
            return result
        unlocked = payment_writes.advance(locked, replace(locked, active_attempt=None))
        return replace(result, payment=unlocked)

    patch.setattr(attempts, "_send", send)


def refused_not_unknown(patch: pytest.MonkeyPatch) -> None:
    """No answer is taken for a refusal (rule 4)."""

    def refuse(payment: Payment, send: attempts.Send) -> ProviderPayment:
        raise ProviderUnavailable("Stripe cannot be reached")

    _after_no_answer(patch, refuse)


def not_sent_at_once(patch: pytest.MonkeyPatch) -> None:
    """A status check that finds nothing ends the attempt, though its lease runs (rule 12)."""
    real = merge._outcome_of

    def outcome_of(payment: Payment, *given: Any, **how: Any) -> AttemptOutcome | None:
        found, attempt = real(payment, *given, **how), payment.active_attempt
        if found or attempt is None or attempt.operation == "create":
            return found
        return AttemptOutcome(attempt=attempt.number, kind="not_sent", failure=merge.NOT_SENT)

    patch.setattr(merge, "_outcome_of", outcome_of)


def short_lease(patch: pytest.MonkeyPatch) -> None:
    """The lock ends with the worker's run, not with the provider's horizon (rule 12)."""
    patch.setattr(synchronize, "lease_end", lambda run, _: int(run.ends_at.timestamp()))


def ended_by_a_change(patch: pytest.MonkeyPatch) -> None:
    """A status check that finds any change ends the attempt too early (rule 12)."""
    real = merge._took_place

    def took_place(*given: Any, over: bool, single_capture: bool) -> bool:
        return real(*given, over=True, single_capture=single_capture)

    patch.setattr(merge, "_took_place", took_place)


def three_d_secure_failed(patch: pytest.MonkeyPatch) -> None:
    """The sweep writes `failed` over a payment whose payer is at the bank's 3-D Secure page."""
    real = merge.merge

    def forgetful(payment: Payment, *given: Any, **how: Any) -> merge.Merged:
        found = real(payment, *given, **how)
        own_outcome = given[3]
        if found.outcome and not own_outcome and found.payment.status == "requires_action":
            failed = replace(found.payment, status="failed", failure=merge.NOT_SENT)
            return replace(found, payment=failed)
        return found

    patch.setattr(merge, "merge", forgetful)


def row_after_call(patch: pytest.MonkeyPatch) -> None:
    """A creation is stored after the provider has answered (rule 1)."""
    insert, record_outcome = payment_writes.insert_locked, synchronize.record_outcome
    inserted_later: dict[str, tuple[IdempotencyRecord | None, Any]] = {}

    def later(payment: Payment, record: IdempotencyRecord | None, customer: Any) -> Payment:
        inserted_later[payment.id] = record, customer
        return payment

    def insert_and_record(locked: Payment, *given: Any) -> Payment:
        if locked.id in inserted_later:
            insert(locked, *inserted_later.pop(locked.id))
        return record_outcome(locked, *given)

    patch.setattr(payment_writes, "insert_locked", later)
    patch.setattr(synchronize, "record_outcome", insert_and_record)


def refusal_forgotten(patch: pytest.MonkeyPatch) -> None:
    """After a version conflict a worker forgets how its attempt ended (rule 11)."""
    real = synchronize.synchronize
    patch.setattr(synchronize, "synchronize", lambda payment, run, *_: real(payment, run))


def snapshot_believed(patch: pytest.MonkeyPatch) -> None:
    """After a version conflict a worker writes the state that it had fetched before (rule 11)."""
    real = commit.write

    def write(
        payment: Payment,
        provider_state: ProviderPayment | None,
        own_outcome: AttemptOutcome | None,
        run: RunContext,
    ) -> Payment:
        try:
            return real(payment, provider_state, own_outcome, run)
        except dynamodb.VersionConflict:
            if own_outcome is None:
                raise
            fresh = synchronize._read_again(payment, run)
            return real(fresh, provider_state, own_outcome, run)

    patch.setattr(commit, "write", write)


MUTATIONS = (
    no_lock,
    lock_without_version,
    no_version_check,
    version_read_last,
    no_bump,
    number_used_again,
    lock_not_due,
    blind_resend,
    refund_sent_by_a_check,
    unlock_on_timeout,
    refused_not_unknown,
    not_sent_at_once,
    short_lease,
    ended_by_a_change,
    three_d_secure_failed,
    row_after_call,
    refusal_forgotten,
    snapshot_believed,
)
