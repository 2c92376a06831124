"""One money call on a payment that exists: decide, take the lock (T1), send, record the outcome.

Confirm, update, cancel, capture and refund all go through `execute`. What differs between them is
an `OperationPlan` (core/payments/operations.py). The lock is the active attempt on the payment
row. It is taken in `payment_writes.lock` (T1; for a new payment in `insert_locked`) and released in
`payment_writes.commit_transition` (T2). Between the two the provider is called once.

Source: docs/payment-correctness.md, sections 2 and 4.
"""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import rfc8785
from msgspec import Struct
from msgspec.structs import replace

from bridge import clock
from bridge.core.payment_state import commit, merge, synchronize
from bridge.core.rules import crash_points, idempotency, scheduling
from bridge.errors import (
    BridgeError,
    NotExecuted,
    TemporarilyUnavailable,
    UnknownOutcome,
    WrongState,
)
from bridge.models.idempotency import IdempotencyRecord
from bridge.models.identifier import suffix
from bridge.models.payment import (
    ActiveAttempt,
    AttemptOutcome,
    Operation,
    Payment,
    PaymentResult,
)
from bridge.models.provider import ProviderPayment
from bridge.models.refund import Refund
from bridge.models.run_context import RunContext
from bridge.providers import registry
from bridge.store import dynamodb
from bridge.store.dedupe import idempotency_items
from bridge.store.dynamodb import Throttled
from bridge.store.payments import payment_items, payment_writes

Send = Callable[[Payment], ProviderPayment]


class OperationPlan(Struct, frozen=True):
    """When one operation may start, and what it sends.

    `request`: what the client wants, as text; equal requests have equal texts. `starts` decides by
    the state of the payment: True means that the provider is called, False that the payment as it
    is now is the answer; it raises Conflict if the state forbids the operation. `prepare` resolves
    what the call needs; it runs before the lock is taken. `is_repeatable`: the same body with
    another idempotency key is another request. That is so for a refund: two equal refunds may both
    be meant.
    """

    operation: Operation
    request: str
    starts: Callable[[Payment], bool]
    prepare: Callable[[Payment], "PreparedCall"]
    is_repeatable: bool = False

    def request_hash(self, run: RunContext) -> str:
        """The hash by which this request is compared with the one of the active attempt."""
        key = run.client_key.key if self.is_repeatable and run.client_key else ""
        return request_hash(self.operation, self.request, key)


class PreparedCall(Struct, frozen=True):
    """A provider call that is ready to be sent.

    `send` takes the locked payment and makes the call. `pending_changes` are the fields that are
    written to the row once the attempt is done. `refund` is the refund that is requested, for that
    operation only. `method` is the `method_digest` of the method that an update sets.
    """

    send: Send
    pending_changes: dict[str, Any] = {}
    refund: Refund | None = None
    method: str | None = None


def request_hash(operation: Operation, request: str, key: str = "") -> str:
    """SHA-256 over operation, request and key. A second request with the same hash gets a 202."""
    return hashlib.sha256(rfc8785.dumps([operation, request, key])).hexdigest()


def execute(
    payment: Payment, record: IdempotencyRecord | None, plan: OperationPlan, run: RunContext
) -> PaymentResult:
    """Make one attempt, or answer with the attempt that is already active.

    `payment` and `record` come from one strongly consistent read. The order of the checks is:

    1. The client's key has a stored response: return it. The provider is not called.
    2. An attempt is active and its lease runs: answer 202 if it is this request, else 409.
    3. An attempt is active and its lease is over: synchronize, read again, decide again.
    4. The state allows the operation: check everything that can fail without the provider, take the
       lock (T1), then send once.

    If T1 fails because something changed, read again and decide again, at most
    `scheduling.WRITE_TRIES` times. The provider is never called without a committed lock (rule 1).

    Raises Conflict, PaymentDeclined, NotExecuted if the call surely was not executed,
    TemporarilyUnavailable. Source: docs/payment-correctness.md, section 2.
    """
    throttled = False
    for _ in range(scheduling.WRITE_TRIES):
        if record and run.client_key:
            idempotency.check_same(record, run.client_key)
            if record.state == "done":
                return idempotency.replay(record, payment)
        if payment.active_attempt:
            if is_running(payment):
                return _join_running_attempt(payment, plan, record, run)
            try:
                synchronize.synchronize(payment, run)
            except BridgeError:  # the outcome is still unknown, so the attempt is still the answer
                return _join_running_attempt(payment, plan, record, run)
            payment, record = read_again(payment, run)
            continue
        if not plan.starts(payment):
            return PaymentResult(payment=payment)
        # Before the lock, because it may read and ask the provider. A change that happens meanwhile
        # is noticed: T1 has the version from before as its condition.
        registry.open_provider(payment.provider_id).check_ready()
        prepared = plan.prepare(payment)
        try:
            locked = _lock(payment, plan, prepared, run)
        except idempotency_items.KeyTaken as taken:
            payment, _ = read_again(payment, run)
            record = taken.record
            continue
        except (dynamodb.VersionConflict, Throttled) as failed:
            throttled = isinstance(failed, Throttled)
            payment, record = read_again(payment, run)
            continue
        crash_points.reach("locked", payment.id)
        return _send(locked, prepared.send, run)
    if throttled:
        raise TemporarilyUnavailable("the payment could not be locked", retry_after=1)
    raise idempotency.in_progress(payment)


def is_running(payment: Payment) -> bool:
    """Whether the lease of the active attempt still runs, so that its call may take effect.

    Never for a creation: its status check is the same keyed call, so anyone may make it at once.
    """
    attempt = payment.active_attempt
    return bool(attempt and attempt.operation != "create" and clock.seconds() <= attempt.until)


def read_again(payment: Payment, run: RunContext) -> tuple[Payment, IdempotencyRecord | None]:
    """The payment as it is stored now, and the record of the client's key."""
    if run.cause != "api":  # workers have no client's key and no right to read secrets
        return payment_items.get(payment.id) or payment, None
    key = run.client_key.key if run.client_key else None
    fresh, record = payment_items.read(payment.id, key, clock.seconds())
    return fresh or payment, record


def _join_running_attempt(
    payment: Payment, plan: OperationPlan, record: IdempotencyRecord | None, run: RunContext
) -> PaymentResult:
    """Answer 202 if the active attempt is this same request. Else raises Conflict (409)."""
    attempt = payment.active_attempt
    request = (plan.operation, plan.request_hash(run))
    if attempt and (record or request == (attempt.operation, attempt.request_hash)):
        return _unknown(payment)
    raise idempotency.in_progress(payment)


def _unknown(locked: Payment) -> PaymentResult:
    """The answer while the outcome of the active attempt is unknown: 202 (B20)."""
    left = idempotency.seconds_left(locked)
    return PaymentResult(payment=locked, refund=locked.locked_attempt.refund, retry_after=left)


def lock_for(
    payment: Payment,
    operation: Operation,
    request: str,
    run: RunContext,
    *,
    pending_changes: dict[str, Any] | None = None,
    sent: str | None = None,
    method: str | None = None,
    refund: Refund | None = None,
    record: IdempotencyRecord | None = None,
) -> Payment:
    """The row as T1 will write it: with the active attempt, which is the lock.

    Frozen here: the attempt's number and with it the provider's idempotency key, the amount, and
    the lease. The amount of a refund is reserved, so that `refundable_cents` is right at once.
    Nothing is written. Source: docs/payment-correctness.md, section 4.
    """
    pending_changes = pending_changes or {}
    provider = registry.open_provider(payment.provider_id)
    number, now = payment.attempts + 1, clock.seconds()
    attempt = ActiveAttempt(
        number=number,
        operation=operation,
        key=f"{suffix(payment.id)}.{number}",
        total_cents=pending_changes.get("total_cents", payment.total_cents),
        from_status=payment.status,
        seen_charge_id=payment.charge_id,
        request_hash=request,
        at=now,
        until=synchronize.lease_end(run, provider),
        pending_changes=pending_changes,
        before=_before(payment, pending_changes) if operation == "update" else {},
        method=method,
        sent=sent,
        refund=refund,
        client_key=idempotency.recorded(record) if record else None,
    )
    due_at = int(run.ends_at.timestamp())
    locked = replace(payment, active_attempt=attempt, attempts=number, due_at=due_at)
    pending = locked.refunds_pending + (refund is not None)
    reserved = {"refundable_cents": merge.refundable(locked), "refunds_pending": pending}
    return replace(locked, **reserved)


def _before(payment: Payment, pending_changes: dict[str, Any]) -> dict[str, Any]:
    """What the provider's object has now in the fields that an update changes (rule 18)."""
    values = {name: getattr(payment, name) for name in merge.READ_BACK if name in pending_changes}
    return values | {"method": payment.provider_method}


def _lock(
    payment: Payment, plan: OperationPlan, prepared: PreparedCall, run: RunContext
) -> Payment:
    """T1: take the lock, with the idempotency record and the refund in the same transaction.

    Raises KeyTaken, VersionConflict, Throttled.
    """
    record = None
    if run.client_key:
        place = idempotency_items.of_payment(payment.id, run.client_key.key)
        record = idempotency.new_record(place, run.client_key, payment.id)
    crash_points.reach("locking", payment.id)
    locked = lock_for(
        payment,
        plan.operation,
        plan.request_hash(run),
        run,
        pending_changes=prepared.pending_changes,
        method=prepared.method,
        refund=prepared.refund,
        record=record,
    )
    return payment_writes.lock(payment, locked, record)


def _send(locked: Payment, send: Send, run: RunContext) -> PaymentResult:
    """Send the attempt once, then record how it ended (T2), which releases the lock.

    If the outcome is unknown, the lock stays and status checks are scheduled (rules 3 and 4).
    Raises PaymentDeclined, NotExecuted.
    """
    attempt = locked.locked_attempt
    try:
        provider_state = send(locked)
    except UnknownOutcome as unknown:
        synchronize.schedule_status_checks(locked, unknown)
        return _unknown(locked)
    except NotExecuted as refusal:
        crash_points.reach("answered", locked.id)
        refused = synchronize.refusal_outcome(attempt, refusal)
        written = synchronize.record_outcome(locked, None, refused, run)
        if answer := stored_answer(locked, written):
            return answer
        if isinstance(refusal, WrongState):  # the provider's object is not as our row says
            with suppress(BridgeError):
                synchronize.synchronize(written, run)
        raise
    crash_points.reach("answered", locked.id)
    declined = commit.decline_of(attempt, provider_state.declined, provider_state)
    outcome = AttemptOutcome(attempt=attempt.number, kind="done", failure=declined)
    written = synchronize.record_outcome(locked, provider_state, outcome, run)
    if written.active_attempt and written.active_attempt.number == attempt.number:
        return _unknown(written)
    if answer := stored_answer(locked, written):
        return answer
    if declined:
        raise idempotency.declined(replace(written, failure=declined))
    if not attempt.refund:
        return PaymentResult(payment=written)
    known = {attempt.refund.id: attempt.refund}
    refunds = merge.changed_refunds(locked, known, provider_state, outcome, written.changed_at)
    return PaymentResult(payment=written, refund=refunds[0])


def stored_answer(locked: Payment, written: Payment) -> PaymentResult | None:
    """What the client's record says, if another worker has written since the lock was taken.

    That worker may have ended the attempt first, and the record has the one answer that every
    request with this key gets (rule 19). None: the answer is this worker's own. Raises
    PaymentDeclined.
    """
    key = locked.locked_attempt.client_key
    if key is None or written.version == locked.version + 1:
        return None
    record = idempotency_items.get(key.record, clock.seconds())
    return idempotency.answer(record, written) if record and record.state == "done" else None
