"""One money call on a payment that exists: decide, lock, send, settle.

Source: design/convergence.md, sections 2 to 5.
"""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import rfc8785
from pydantic import BaseModel

from bridge import clock
from bridge.core.payment_state import merge, synchronize
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
    PendingChanges,
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


@dataclass(frozen=True)
class OperationPlan:
    """What one operation adds to the protocol.

    `starts` says whether a call is made (False: the payment as it is answers) or raises Conflict.
    `prepare` resolves what the call needs, before the lock. `is_repeatable`: it may be wanted more
    than once, so that another client's key makes another request of it.
    """

    operation: Operation
    asked: BaseModel
    starts: Callable[[Payment], bool]
    prepare: Callable[[Payment], "PreparedCall"]
    is_repeatable: bool = False

    def request_hash(self, run: RunContext) -> str:
        key = run.client_key.key if self.is_repeatable and run.client_key else ""
        return request_hash(self.operation, self.asked, key)


@dataclass(frozen=True)
class PreparedCall:
    """The sending, which takes the locked payment; what the row will hold afterwards; the refund
    that is asked for."""

    send: Send
    pending_changes: PendingChanges = field(default_factory=PendingChanges)
    refund: Refund | None = None


def request_hash(operation: Operation, asked: BaseModel, key: str = "") -> str:
    """Equal for equal requests: the second of two gets 202 and not a conflict."""
    body = asked.model_dump_json(exclude_unset=True)
    return hashlib.sha256(rfc8785.dumps([operation, body, key])).hexdigest()


def execute(
    payment: Payment, record: IdempotencyRecord | None, plan: OperationPlan, run: RunContext
) -> PaymentResult:
    """Make one attempt, or tell what another one is doing.

    `payment` and `record` are what one consistent read gave. Raises Conflict, PaymentDeclined,
    NotExecuted when the call surely did not happen, TemporarilyUnavailable.
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
            except BridgeError:
                return _join_running_attempt(payment, plan, record, run)
            payment, record = read_again(payment, run)
            continue
        if not plan.starts(payment):
            return PaymentResult(payment=payment)
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
    """Whether the lock's owner may still be at work. A creation can be taken up at once."""
    attempt = payment.active_attempt
    return bool(attempt and attempt.operation != "create" and clock.seconds() <= attempt.until)


def read_again(payment: Payment, run: RunContext) -> tuple[Payment, IdempotencyRecord | None]:
    if run.cause != "api":  # workers hold no client's key, and may not read secrets
        return payment_items.get(payment.id) or payment, None
    key = run.client_key.key if run.client_key else None
    fresh, record = payment_items.read(payment.id, key, clock.seconds())
    return fresh or payment, record


def _join_running_attempt(
    payment: Payment, plan: OperationPlan, record: IdempotencyRecord | None, run: RunContext
) -> PaymentResult:
    """Another attempt is out: if it is this very request it is the answer. Raises Conflict."""
    attempt = payment.active_attempt
    request = (plan.operation, plan.request_hash(run))
    if attempt and (record or request == (attempt.operation, attempt.request_hash)):
        return _unknown(payment)
    raise idempotency.in_progress(payment)


def _unknown(locked: Payment) -> PaymentResult:
    """Nobody knows yet how the attempt under way ends (B20)."""
    left = idempotency.seconds_left(locked)
    return PaymentResult(payment=locked, refund=locked.locked_attempt.refund, retry_after=left)


def lock_for(
    payment: Payment,
    operation: Operation,
    request: str,
    run: RunContext,
    *,
    pending_changes: PendingChanges | None = None,
    sent: str | None = None,
    refund: Refund | None = None,
    record: IdempotencyRecord | None = None,
) -> Payment:
    """The row as it is while the call is out. Source: convergence.md, T1."""
    pending_changes = pending_changes or PendingChanges()
    provider = registry.open_provider(payment.provider_id)
    number, now = payment.attempts + 1, clock.seconds()
    attempt = ActiveAttempt(
        number=number,
        operation=operation,
        key=f"{suffix(payment.id)}.{number}",
        total_cents=pending_changes.total_cents or payment.total_cents,
        was_cents=payment.total_cents,
        from_status=payment.status,
        seen_charge_id=payment.charge_id,
        request_hash=request,
        at=now,
        until=synchronize.lease_end(run, provider),
        pending_changes=pending_changes,
        sent=sent,
        refund=refund,
        client_key=idempotency.recorded(record) if record else None,
    )
    due_at = int(run.ends_at.timestamp())
    locked = payment.model_copy(
        update={"active_attempt": attempt, "attempts": number, "due_at": due_at}
    )
    waiting = locked.refunds_pending + (refund is not None)
    reserved = {"refundable_cents": merge.refundable(locked), "refunds_pending": waiting}
    return locked.model_copy(update=reserved)


def _lock(
    payment: Payment, plan: OperationPlan, prepared: PreparedCall, run: RunContext
) -> Payment:
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
        refund=prepared.refund,
        record=record,
    )
    return payment_writes.lock(payment, locked, record)


def _send(locked: Payment, send: Send, run: RunContext) -> PaymentResult:
    """The one sending of an attempt, and what it tells (rules 3 and 4)."""
    attempt = locked.locked_attempt
    try:
        provider_state = send(locked)
    except UnknownOutcome as unknown:
        synchronize.schedule_status_checks(locked, unknown)
        return _unknown(locked)
    except NotExecuted as refusal:
        crash_points.reach("answered", locked.id)
        written = synchronize.record_outcome(
            locked, None, synchronize.refusal_outcome(attempt, refusal), run
        )
        if isinstance(refusal, WrongState):  # the object is not as our row says
            with suppress(BridgeError):
                synchronize.synchronize(written, run)
        raise
    crash_points.reach("answered", locked.id)
    outcome = AttemptOutcome(attempt=attempt.number, kind="done")
    written = synchronize.record_outcome(locked, provider_state, outcome, run)
    if attempt.operation == "confirm" and provider_state.status == "failed":
        raise idempotency.declined(written.model_copy(update={"failure": provider_state.failure}))
    if written.active_attempt and written.active_attempt.number == attempt.number:
        return _unknown(written)
    if not attempt.refund:
        return PaymentResult(payment=written)
    made = merge.merge_refunds(
        locked, [attempt.refund], provider_state, outcome, written.changed_at
    )
    return PaymentResult(payment=written, refund=made[0])
