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
from bridge.core.rules import crash_points, idempotency
from bridge.errors import (
    BridgeError,
    NotExecuted,
    TemporarilyUnavailable,
    UnknownOutcome,
    WrongState,
)
from bridge.models.call import Call
from bridge.models.identifier import suffix
from bridge.models.payment import (
    Answered,
    Ending,
    LiveAttempt,
    Operation,
    Payment,
    Wanted,
)
from bridge.models.provider import ProviderPayment
from bridge.models.record import Record
from bridge.models.refund import Refund
from bridge.providers import registry
from bridge.store.dedupe import idempotency_items
from bridge.store.dynamodb import Congested
from bridge.store.payments import payment_items, payment_writes

Send = Callable[[Payment], ProviderPayment]


@dataclass(frozen=True)
class Step:
    """What one operation adds to the protocol.

    `starts` says whether a call is made (False: the payment as it is answers) or raises Conflict.
    `prepare` resolves what the call needs, before the lock. `is_repeatable`: it may be wanted more
    than once, so that another client's key makes another request of it.
    """

    operation: Operation
    asked: BaseModel
    starts: Callable[[Payment], bool]
    prepare: Callable[[Payment], "Prepared"]
    is_repeatable: bool = False

    def request_hash(self, call: Call) -> str:
        key = call.client_key.key if self.is_repeatable and call.client_key else ""
        return request_hash(self.operation, self.asked, key)


@dataclass(frozen=True)
class Prepared:
    """The sending, which takes the locked payment; what the row will hold afterwards; the refund
    that is asked for."""

    send: Send
    wanted: Wanted = field(default_factory=Wanted)
    refund: Refund | None = None


def request_hash(operation: Operation, asked: BaseModel, key: str = "") -> str:
    """Equal for equal requests: the second of two gets 202 and not a conflict."""
    body = asked.model_dump_json(exclude_unset=True)
    return hashlib.sha256(rfc8785.dumps([operation, body, key])).hexdigest()


def run(payment: Payment, record: Record | None, step: Step, call: Call) -> Answered:
    """Make one attempt, or tell what another one is doing.

    `payment` and `record` are what one consistent read gave. Raises Conflict, PaymentDeclined,
    NotExecuted when the call surely did not happen, TemporarilyUnavailable.
    """
    congested = False
    for _ in range(synchronize.ROUNDS):
        if record and call.client_key:
            idempotency.check_same(record, call.client_key)
            if record.state == "done":
                return idempotency.replay(record, payment)
        if payment.live:
            if is_running(payment):
                return _meet(payment, step, record, call)
            try:
                synchronize.converge(payment, call)
            except BridgeError:
                return _meet(payment, step, record, call)
            payment, record = read_again(payment, call)
            continue
        if not step.starts(payment):
            return Answered(payment=payment)
        prepared = step.prepare(payment)
        try:
            locked = _lock(payment, step, prepared, call)
        except idempotency_items.KeyTaken as taken:
            payment, _ = read_again(payment, call)
            record = taken.record
            continue
        except (payment_writes.Outrun, Congested) as lost:
            congested = isinstance(lost, Congested)
            payment, record = read_again(payment, call)
            continue
        crash_points.step("locked", payment.id)
        return _send(locked, prepared.send, call)
    if congested:
        raise TemporarilyUnavailable("the payment could not be locked", retry_after=1)
    raise idempotency.in_progress(payment)


def is_running(payment: Payment) -> bool:
    """Whether the lock's owner may still be at work. A creation can be taken up at once."""
    live = payment.live
    return bool(live and live.operation != "create" and clock.seconds() <= live.until)


def read_again(payment: Payment, call: Call) -> tuple[Payment, Record | None]:
    if call.cause != "api":  # workers hold no client's key, and may not read secrets
        return payment_items.get(payment.id) or payment, None
    key = call.client_key.key if call.client_key else None
    fresh, record = payment_items.read(payment.id, key, clock.seconds())
    return fresh or payment, record


def _meet(payment: Payment, step: Step, record: Record | None, call: Call) -> Answered:
    """Another attempt is out: if it is this very request it is the answer. Raises Conflict."""
    live = payment.live
    request = (step.operation, step.request_hash(call))
    if live and (record or request == (live.operation, live.request_hash)):
        return _unknown(payment)
    raise idempotency.in_progress(payment)


def _unknown(locked: Payment) -> Answered:
    """Nobody knows yet how the attempt under way ends (B20)."""
    left = idempotency.seconds_left(locked)
    return Answered(payment=locked, refund=locked.held.refund, retry_after=left)


def lock_for(
    payment: Payment,
    operation: Operation,
    request: str,
    call: Call,
    *,
    wanted: Wanted | None = None,
    sent: str | None = None,
    refund: Refund | None = None,
    record: Record | None = None,
) -> Payment:
    """The row as it is while the call is out. Source: convergence.md, T1."""
    wanted = wanted or Wanted()
    provider = registry.open_provider(payment.provider_id)
    number, now = payment.attempts + 1, clock.seconds()
    live = LiveAttempt(
        number=number,
        operation=operation,
        key=f"{suffix(payment.id)}.{number}",
        total_cents=wanted.total_cents or payment.total_cents,
        was_cents=payment.total_cents,
        from_status=payment.status,
        seen_charge_id=payment.charge_id,
        request_hash=request,
        at=now,
        until=synchronize.lease_end(call, provider),
        wanted=wanted,
        sent=sent,
        refund=refund,
        client_key=idempotency.recorded(record) if record else None,
    )
    due_at = int(call.ends_at.timestamp())
    locked = payment.model_copy(update={"live": live, "attempts": number, "due_at": due_at})
    waiting = locked.refunds_pending + (refund is not None)
    reserved = {"refundable_cents": merge.refundable(locked), "refunds_pending": waiting}
    return locked.model_copy(update=reserved)


def _lock(payment: Payment, step: Step, prepared: Prepared, call: Call) -> Payment:
    record = None
    if call.client_key:
        place = idempotency_items.of_payment(payment.id, call.client_key.key)
        record = idempotency.new_record(place, call.client_key, payment.id)
    crash_points.step("locking", payment.id)
    locked = lock_for(
        payment,
        step.operation,
        step.request_hash(call),
        call,
        wanted=prepared.wanted,
        refund=prepared.refund,
        record=record,
    )
    return payment_writes.lock(payment, locked, record)


def _send(locked: Payment, send: Send, call: Call) -> Answered:
    """The one sending of an attempt, and what it tells (rules 3 and 4)."""
    live = locked.held
    try:
        shown = send(locked)
    except UnknownOutcome as unknown:
        synchronize.leave_to_looks(locked, unknown)
        return _unknown(locked)
    except NotExecuted as refusal:
        crash_points.step("answered", locked.id)
        settled = synchronize.settle(locked, None, synchronize.refused(live, refusal), call)
        if isinstance(refusal, WrongState):  # the object is not as our row says
            with suppress(BridgeError):
                synchronize.converge(settled, call)
        raise
    crash_points.step("answered", locked.id)
    ending = Ending(attempt=live.number, outcome="done")
    settled = synchronize.settle(locked, shown, ending, call)
    if live.operation == "confirm" and shown.status == "failed":
        raise idempotency.declined(settled.model_copy(update={"failure": shown.failure}))
    if settled.live and settled.live.number == live.number:
        return _unknown(settled)
    if not live.refund:
        return Answered(payment=settled)
    made = merge.merge_refunds(locked, [live.refund], shown, ending, settled.changed_at)
    return Answered(payment=settled, refund=made[0])
