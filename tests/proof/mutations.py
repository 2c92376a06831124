"""Breaks the rules one by one, in the real code. The proof must notice each one.

A test applies a mutation for its own length. Our code knows nothing of mutations.
A mutation patches a function of ours by name: rename both together, or it does nothing.
Source: docs/payment-correctness.md, sections 3 and 10.
"""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import stripe
from msgspec.structs import replace

from bridge.core.payment_state import attempts, merge, state_machine, synchronize
from bridge.core.rules import crash_points
from bridge.errors import ProviderUnavailable, UnknownOutcome
from bridge.models.idempotency import IdempotencyRecord
from bridge.models.payment import AttemptOutcome, Payment, PaymentResult
from bridge.models.provider import ProviderPayment
from bridge.models.queue_message import MethodEventReference, WebhookEventReference
from bridge.models.refund import Refund
from bridge.models.run_context import RunContext
from bridge.providers import stripe_objects
from bridge.providers.stripe import Stripe
from bridge.store import dynamodb
from bridge.store.dedupe import idempotency_items
from bridge.store.jobs import due_items
from bridge.store.payments import payment_writes

Mutation = Callable[[pytest.MonkeyPatch], None]


def no_lock(patch: pytest.MonkeyPatch) -> None:
    """T1 does not check that there is no active attempt (rule 2)."""
    real = dynamodb.condition

    def condition(expression: str, **values: Any) -> dict[str, Any]:
        if "attribute_not_exists(#active_attempt)" in expression:
            return real("attribute_exists(#pk)")
        return real(expression, **values)

    patch.setattr(dynamodb, "condition", condition)


def no_version_check(patch: pytest.MonkeyPatch) -> None:
    """T2, and the write of "nothing changed", do not check the version (rule 5)."""
    patch.setattr(
        payment_writes, "_version_guard", lambda _: dynamodb.condition("attribute_exists(#pk)")
    )


def no_bump(patch: pytest.MonkeyPatch) -> None:
    """Nothing new was found, so the version stays (rule 6)."""
    real = payment_writes._next_version

    def stay(seen: Payment, after: Payment) -> Payment:
        raised = real(seen, after)
        is_new = after.active_attempt != seen.active_attempt or after.sequence != seen.sequence
        return raised if is_new else replace(raised, version=seen.version)

    patch.setattr(payment_writes, "_next_version", stay)


def blind_resend(patch: pytest.MonkeyPatch) -> None:
    """No answer, so the call is sent again, with another provider key (rule 3)."""
    real = attempts._send

    def send_twice(locked: Payment, send: attempts.Send, run: RunContext) -> PaymentResult:
        def once_more(payment: Payment) -> ProviderPayment:
            try:
                return send(payment)
            except UnknownOutcome:
                key = f"{payment.locked_attempt.key}1"
                attempt = replace(payment.locked_attempt, key=key)
                return send(replace(payment, active_attempt=attempt))

        return real(locked, once_more, run)

    patch.setattr(attempts, "_send", send_twice)


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
    real = attempts._send

    def send(locked: Payment, send: attempts.Send, run: RunContext) -> PaymentResult:
        def surely(payment: Payment) -> ProviderPayment:
            try:
                return send(payment)
            except UnknownOutcome as unknown:
                raise ProviderUnavailable("Stripe cannot be reached") from unknown

        return real(locked, surely, run)

    patch.setattr(attempts, "_send", send)


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


def refund_not_reserved(patch: pytest.MonkeyPatch) -> None:
    """The lock of a refund does not reserve its amount."""
    patch.setattr(merge, "refundable", lambda it: max(0, it.captured_cents - it.refunded_cents))


def record_apart(patch: pytest.MonkeyPatch) -> None:
    """The idempotency record is completed in a write of its own (rule 9)."""
    real = payment_writes.commit_transition

    def forgetful(
        seen: Payment,
        merged: Payment,
        entry: Any,
        record: IdempotencyRecord | None,
        *more: Any,
        **how: Any,
    ) -> Payment:
        written = real(seen, merged, entry, None, *more, **how)
        crash_points.reach("committed", seen.id)
        if record:
            dynamodb.transact({"record": idempotency_items.close_action(record)})
        return written

    patch.setattr(payment_writes, "commit_transition", forgetful)


def saved_apart(patch: pytest.MonkeyPatch) -> None:
    """The method that paid is saved in a write of its own.

    Source: docs/payment-correctness.md, section 4.
    """
    real = payment_writes.commit_transition

    def forgetful(
        seen: Payment,
        merged: Payment,
        entry: Any,
        record: IdempotencyRecord | None,
        refunds: list[Refund],
        saved: dynamodb.Actions,
        **how: Any,
    ) -> Payment:
        written = real(seen, merged, entry, record, refunds, {}, **how)
        crash_points.reach("committed", seen.id)
        if saved:
            dynamodb.transact(saved)
        return written

    patch.setattr(payment_writes, "commit_transition", forgetful)


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


def key_of_its_own(patch: pytest.MonkeyPatch) -> None:
    """Every call has a new key, so the status check of a creation makes another object.

    Source: docs/payment-correctness.md, section 6.
    """
    real = Stripe.create_payment

    def create(self: Stripe, request: str, *, key: str, ends_at: Any) -> ProviderPayment:
        return real(self, request, key=f"{key}{uuid.uuid4().int % 1000}", ends_at=ends_at)

    patch.setattr(Stripe, "create_payment", create)


def failed_is_an_end(patch: pytest.MonkeyPatch) -> None:
    """A failed payment is not due, though its object is open (rule 8)."""
    real = state_machine.can_move
    patch.setattr(state_machine, "can_move", lambda status, **_: real(status, is_open=False))


def refusal_forgotten(patch: pytest.MonkeyPatch) -> None:
    """After a version conflict a worker forgets how its attempt ended (rule 11)."""
    real = synchronize.synchronize
    patch.setattr(synchronize, "synchronize", lambda payment, run, *_: real(payment, run))


def payload_believed(patch: pytest.MonkeyPatch) -> None:
    """The state in a webhook is believed (rule 7)."""
    read, fetch = Stripe.read_event, synchronize._fetch_state
    believed: dict[str, Any] = {}

    def read_event(
        self: Stripe, headers: Any, raw: bytes
    ) -> WebhookEventReference | MethodEventReference | None:
        reference, event = read(self, headers, raw), json.loads(raw)
        if reference and event["data"]["object"]["object"] == "payment_intent":
            believed[reference.event_id] = event["data"]["object"]
        return reference

    def believe(payment: Payment, run: RunContext, own_outcome: AttemptOutcome | None) -> Any:
        if run.event and run.event.event_id in believed:
            intent = stripe.PaymentIntent.construct_from(believed[run.event.event_id], "sk_test")
            return stripe_objects.read_payment(intent), own_outcome
        return fetch(payment, run, own_outcome)

    patch.setattr(Stripe, "read_event", read_event)
    patch.setattr(synchronize, "_fetch_state", believe)


def no_sweep(patch: pytest.MonkeyPatch) -> None:
    """Nobody checks what is due (rule 8)."""
    patch.setattr(due_items, "list_due", lambda *_: iter(()))


MUTATIONS: tuple[Mutation, ...] = (
    no_lock,
    no_version_check,
    no_bump,
    blind_resend,
    unlock_on_timeout,
    refused_not_unknown,
    short_lease,
    ended_by_a_change,
    three_d_secure_failed,
    refund_not_reserved,
    record_apart,
    saved_apart,
    row_after_call,
    key_of_its_own,
    failed_is_an_end,
    refusal_forgotten,
    payload_believed,
    no_sweep,
)

# `make test` plays these. `make power` plays all.
KEPT: tuple[Mutation, ...] = (
    no_version_check,
    unlock_on_timeout,
    refused_not_unknown,
    refund_not_reserved,
    record_apart,
    row_after_call,
    key_of_its_own,
    no_sweep,
)
