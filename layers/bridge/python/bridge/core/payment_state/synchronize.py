"""How three writers keep one payment true: merge, settle, converge.

Source: design/convergence.md, whose rules are cited by number.
"""

import hashlib
import sys
from contextlib import suppress

import rfc8785
from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from bridge import clock, queues
from bridge.core.payment_state import merge, save_method, state_machine
from bridge.core.rules import backoff
from bridge.errors import (
    BridgeError,
    NotExecuted,
    Refused,
    TemporarilyUnavailable,
    UnknownOutcome,
)
from bridge.models.call import Call, Cause
from bridge.models.event import Look
from bridge.models.payment import Ending, Entry, LiveAttempt, Payment
from bridge.models.provider import Failure, ProviderPayment
from bridge.models.record import Record
from bridge.models.refund import Refund
from bridge.providers import registry
from bridge.providers.contract import Provider
from bridge.store.dynamodb import Congested
from bridge.store.payments import payment_items

ROUNDS = 4
CLOCKS_DIFFER_S = 5
GIVE_UP_AFTER_LOOKS_S = 3600
LIVE_LOOKS_S = (5, 30)
SWEEP_S = 60
REFUNDS_AT_ONCE = 90  # a transaction has at most 100 actions
MINUTE, HOUR, DAY = 60, 3600, 86400
LOOKS_AFTER_S = (MINUTE, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR)

log = Logger(child=True)


def step(name: str, payment_id: str) -> None:
    """Name a point where a worker may die; tests listen by an audit hook and kill it there."""
    sys.audit("bridge.step", name, payment_id)


def leave_to_looks(payment: Payment, error: BridgeError) -> None:
    """A call has gone out, or may have: its outcome is for a look to find (rule 4).

    Looks of a few seconds are queued. Where they cannot be, the payment is still due.
    """
    log.warning(
        "outcome unknown",
        payment_id=payment.id,
        provider=payment.provider_id,
        operation=payment.held.operation,
        outcome="unknown",
        error=error.code,
    )
    try:
        queues.send_looks(Look(payment_id=payment.id, attempt=payment.held.number), *LIVE_LOOKS_S)
    except TemporarilyUnavailable:
        log.warning("looks could not be queued", payment_id=payment.id)


def measure(metric: str, value: float = 1, unit: MetricUnit = MetricUnit.Count) -> None:
    """One value for the alarms, by itself: workers in one process share nothing."""
    metrics = EphemeralMetrics()
    metrics.add_metric(name=metric, unit=unit, value=value)
    metrics.flush_metrics()


def lease_end(call: Call, provider: Provider) -> int:
    """After this second nothing that this run sends can still land."""
    return int(call.ends_at.timestamp()) + provider.horizon_s + CLOCKS_DIFFER_S


def settle(locked: Payment, shown: ProviderPayment | None, ending: Ending, call: Call) -> Payment:
    """T2 by the worker whose attempt it was; with the fence lost, by `converge` (rule 11).

    Does not raise for a store or a provider in trouble: the lock then stays for the sweep to end.
    """
    try:
        return _write(locked, shown, ending, call)
    except TemporarilyUnavailable:
        log.warning("left to the sweep", payment_id=locked.id)
        return locked
    except payment_items.Outrun:
        pass
    try:
        return converge(_again(locked, call), call, ending)
    except BridgeError as error:
        if ending.outcome == "refused":
            return _let_go(locked, ending, call)
        log.warning("left to the sweep", payment_id=locked.id, error=error.code)
        return locked


def _let_go(locked: Payment, ending: Ending, call: Call) -> Payment:
    """Nothing was done, so the attempt ends also where nobody can look (rule 11)."""
    with suppress(TemporarilyUnavailable):
        for _ in range(ROUNDS):
            try:
                return _write(_again(locked, call), None, ending, call)
            except payment_items.Outrun:
                continue
    log.warning("left to the sweep", payment_id=locked.id)
    return locked


def converge(payment: Payment, call: Call, mine: Ending | None = None) -> Payment:
    """Bring our row to the provider's truth. `payment` was read before the provider is asked.

    Raises NotExecuted or UnknownOutcome when the look does, with the next look put off, and
    TemporarilyUnavailable when the store does not take what it showed, EventSeen when the event
    that `call` answers has been handled meanwhile.
    """
    for _ in range(ROUNDS):
        shown, ending = _look(payment, call, mine)
        step("looked", payment.id)
        try:
            return _write(payment, shown, ending, call)
        except payment_items.Outrun:
            payment = _again(payment, call)
    return payment  # somebody else is making progress


def _again(payment: Payment, call: Call) -> Payment:
    """The row as it is now, with its secret for a caller's eyes; workers may not read those."""
    if call.cause != "api":
        return payment_items.get(payment.id) or payment
    fresh, _ = payment_items.read(payment.id, None, clock.seconds())
    return fresh or payment


def _look(
    payment: Payment, call: Call, mine: Ending | None
) -> tuple[ProviderPayment | None, Ending | None]:
    """The provider's state now, and how the attempt ended where only the look can tell.

    At a creation the look is the same keyed call again (section 6).
    """
    provider, live, now = registry.open_provider(payment.provider_id), payment.live, clock.seconds()
    try:
        if payment.provider_payment_id:
            return provider.fetch_payment(payment, ends_at=call.ends_at), mine
        if live is None:
            return None, mine  # a refused creation: there is nothing to look at
        if now < live.at + provider.create_look_s:
            shown = provider.create_payment(live.sent or "", key=live.key, ends_at=call.ends_at)
            return shown, mine
        if now < live.at + provider.create_look_s + GIVE_UP_AFTER_LOOKS_S:
            raise UnknownOutcome("the provider no longer remembers this creation")
        return None, Ending(attempt=live.number, outcome="not_sent", failure=merge.NOT_SENT)
    except Refused as refusal:
        if live and live.operation == "create" and now > live.until:
            return None, refused(live, refusal)
        _postpone(payment, now)
        raise
    except (UnknownOutcome, NotExecuted) as error:
        log.info("look failed", payment_id=payment.id, error=error.code)
        _postpone(payment, now)
        raise


def refused(live: LiveAttempt, refusal: NotExecuted) -> Ending:
    """The ending of an attempt that its provider, surely, did not execute."""
    failure = Failure(code=refusal.reason or refusal.code, message=str(refusal))
    return Ending(attempt=live.number, outcome="refused", failure=failure)


def _postpone(payment: Payment, now: int) -> None:
    was_due = payment.due_at is not None  # also at rest, where the provider contradicts us
    due_at = _next_look(payment, now, is_illegal=was_due)
    later = payment.model_copy(update={"due_at": due_at})
    # Where this fails another writer has set it, or the payment is due already.
    with suppress(payment_items.Outrun, TemporarilyUnavailable):
        payment_items.advance(payment, later)


def _write(
    payment: Payment, shown: ProviderPayment | None, mine: Ending | None, call: Call
) -> Payment:
    """T2, or a bump where no fact changed. Raises Outrun, EventSeen, Congested."""
    at = clock.now()
    now = int(at.timestamp())
    single = registry.open_provider(payment.provider_id).single_capture
    merged, ending = merge.merge(payment, shown, now, mine, single_capture=single)
    is_illegal = _report(payment, merged, shown)
    known = _known_refunds(payment, shown)
    refunds = merge.merge_refunds(payment, known, shown, ending, at)
    has_more = len(refunds) > REFUNDS_AT_ONCE  # the rest is for the next look
    refunds = refunds[:REFUNDS_AT_ONCE]
    waiting = payment.refunds_pending + _pending(refunds) - _pending_of(known, refunds)
    merged = merged.model_copy(update={"refunds_pending": waiting})
    if call.event:
        merged = merged.model_copy(update={"heard_at": now})
    if not ending and not refunds and not _differ(payment, merged):
        due = _next_look(merged, now, is_illegal=is_illegal)
        bumped = merged.model_copy(update={"due_at": due})
        return payment_items.advance(payment, bumped, event=call.event)
    merged = merged.model_copy(
        update={"sequence": payment.sequence + 1, "changed_at": at, "updated_at": at}
    )
    entry = _entry(payment, merged, ending, call.cause)
    due = _next_look(merged, now, is_illegal=is_illegal)
    if has_more or (due and ending and ending.outcome == "refused"):
        due = now  # our row may be behind (rule 8)
    merged = merged.model_copy(update={"last_hash": entry.hash, "due_at": due})
    record = _closed_record(payment, merged, refunds, ending, now)
    step("merging", payment.id)
    written = _merge(payment, merged, entry, shown, call, record, refunds)
    step("merged", payment.id)
    log.info(
        "payment changed",
        payment_id=payment.id,
        provider=payment.provider_id,
        cause=call.cause,
        from_status=payment.status,
        to_status=merged.status,
        operation=entry.operation,
        outcome=entry.outcome,
    )
    return written


def _merge(
    payment: Payment,
    merged: Payment,
    entry: Entry,
    shown: ProviderPayment | None,
    call: Call,
    record: Record | None,
    refunds: list[Refund],
) -> Payment:
    """T2, with the method that the payment saves. Raises Outrun, EventSeen, Congested."""
    link = True
    for _ in range(ROUNDS):
        saved = save_method.writes(payment, merged, shown)
        if saved:
            step("saving", payment.id)
        try:
            return payment_items.merge(
                payment, merged, entry, record, refunds, saved, event=call.event, link=link
            )
        except payment_items.ProviderIdTaken:
            log.error("provider payment id is taken", payment_id=payment.id)
            measure("provider_id_taken")
            link = False
        except payment_items.SavedMeanwhile:
            log.info("saved methods changed meanwhile", payment_id=payment.id)
    raise Congested


def _known_refunds(payment: Payment, shown: ProviderPayment | None) -> list[Refund]:
    """Our rows of the refunds that are told of. Read after the fence, so older than no fence."""
    told = shown.refunds if shown else ()
    asked = payment.live.refund if payment.live else None
    if all(asked and each.refund_id == asked.id for each in told):
        return [asked] if asked else []
    return payment_items.refunds(payment.id)


def _pending(refunds: list[Refund]) -> int:
    return sum(refund.status == "pending" for refund in refunds)


def _pending_of(known: list[Refund], changed: list[Refund]) -> int:
    """How many of those that change were pending so far."""
    ids = {refund.id for refund in changed}
    return _pending([refund for refund in known if refund.id in ids])


def _report(payment: Payment, merged: Payment, shown: ProviderPayment | None) -> bool:
    """Count what should not happen, for the alarms; True for a move that was not made."""
    if payment.status == "canceled" and merged.status == "succeeded":
        measure("canceled_but_paid")
    if not shown or shown.status == payment.status:
        return False
    if shown.status is None:
        log.error("unknown provider status", payment_id=payment.id, word=shown.raw_status)
        measure("unknown_provider_status")
        return True
    move = (payment.status, shown.status)
    if state_machine.may_move(*move) or move in state_machine.EXPECTED:
        return False
    log.error("illegal transition", payment_id=payment.id, word=shown.raw_status)
    measure("illegal_transition")
    return True


FACTS = (
    "status",
    "total_cents",
    "currency",
    "captured_cents",
    "refunded_cents",
    "provider_payment_id",
    "charge_id",
    "dispute",
)


def _differ(before: Payment, after: Payment) -> bool:
    return any(getattr(before, name) != getattr(after, name) for name in FACTS)


def _entry(before: Payment, after: Payment, ending: Ending | None, cause: Cause) -> Entry:
    live = before.live if ending else None
    entry = Entry(
        sequence=after.sequence,
        at=after.changed_at.replace(microsecond=0),
        from_status=before.status,
        to_status=after.status,
        cause=cause,
        operation=live.operation if live else None,
        attempt=live.number if live else None,
        request_hash=live.request_hash if live else None,
        outcome=ending.outcome if ending else None,
        event=f"payment.{after.shown_status}",
        previous_hash=before.last_hash,
    )
    return entry.model_copy(update={"hash": hash_of(entry)})


def hash_of(entry: Entry) -> str:
    """SHA-256 over RFC 8785 JSON of the entry, as callers see it, without its hash."""
    told = entry.model_dump(mode="json", by_alias=True, exclude={"hash"})
    return hashlib.sha256(rfc8785.dumps(told)).hexdigest()


def _closed_record(
    before: Payment, after: Payment, refunds: list[Refund], ending: Ending | None, now: int
) -> Record | None:
    """What becomes of the client's key when its attempt has ended (section 4, action 3).

    Nothing once the key has expired: it may be another request's by then.
    """
    key = before.live.client_key if before.live else None
    if not ending or not before.live or not key or key.expires <= now:
        return None
    done, asked = ending.outcome == "done", before.live.refund
    made = next((each for each in refunds if asked and each.id == asked.id), asked)
    answer = made or after
    return Record(
        key=key.record,
        fingerprint=key.fingerprint,
        subject_id=answer.id,
        state="done" if done else "free",
        declined=done and before.live.operation == "confirm" and after.status == "failed",
        snapshot=answer.model_dump_json(exclude_none=True) if done else None,
        expires=key.expires,
    )


def _next_look(payment: Payment, now: int, *, is_illegal: bool = False) -> int | None:
    """When the payment is due again: soon while a call is out, else by the age of the last change.

    None where nothing can move and the provider does not contradict us. Source: sections 6 and 8.
    """
    if live := payment.live:
        looks = [live.at + pause for pause in LIVE_LOOKS_S if live.at + pause > now]
        ends = [live.until + 1] if now <= live.until else []
        return min([*looks, *ends, now + SWEEP_S])
    at_rest = not state_machine.can_move(payment.status, is_open=payment.is_open)
    if at_rest and not is_illegal and not payment.refunds_pending:
        return None
    since = int(payment.changed_at.timestamp())
    return backoff.next_try(since, now, LOOKS_AFTER_S, DAY)
