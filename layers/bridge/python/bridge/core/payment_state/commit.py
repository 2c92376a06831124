"""One write of what a provider's state makes of our row: T2, or a bump where no fact changed.

Source: design/convergence.md, section 4.
"""

from bridge import clock
from bridge.core.payment_state import check_schedule, merge, save_method, state_machine, timeline
from bridge.core.rules import crash_points, scheduling, telemetry
from bridge.core.rules.telemetry import log
from bridge.models.idempotency import IdempotencyRecord
from bridge.models.payment import AttemptOutcome, Entry, Payment
from bridge.models.provider import ProviderPayment
from bridge.models.refund import Refund
from bridge.models.run_context import RunContext
from bridge.providers import registry
from bridge.store.dynamodb import Throttled
from bridge.store.payments import payment_items, payment_writes

REFUNDS_AT_ONCE = 90  # a transaction has at most 100 actions


def write(
    payment: Payment,
    provider_state: ProviderPayment | None,
    own_outcome: AttemptOutcome | None,
    run: RunContext,
) -> Payment:
    """T2, or a bump where no fact changed. Raises Outrun, EventSeen, Congested."""
    at = clock.now()
    now = int(at.timestamp())
    single = registry.open_provider(payment.provider_id).single_capture
    merged, outcome = merge.merge(payment, provider_state, now, own_outcome, single_capture=single)
    is_illegal = _report(payment, merged, provider_state)
    known = _known_refunds(payment, provider_state)
    refunds = merge.merge_refunds(payment, known, provider_state, outcome, at)
    has_more = len(refunds) > REFUNDS_AT_ONCE  # the rest is for the next look
    refunds = refunds[:REFUNDS_AT_ONCE]
    waiting = payment.refunds_pending + _pending(refunds) - _pending_of(known, refunds)
    merged = merged.model_copy(update={"refunds_pending": waiting})
    if run.event:
        merged = merged.model_copy(update={"last_event_at": now})
    if not outcome and not refunds and not timeline.differ(payment, merged):
        due = check_schedule.next_check(merged, now, is_illegal=is_illegal)
        bumped = merged.model_copy(update={"due_at": due})
        return payment_writes.advance(payment, bumped, event=run.event)
    merged = merged.model_copy(
        update={"sequence": payment.sequence + 1, "changed_at": at, "updated_at": at}
    )
    entry = timeline.entry_of(payment, merged, outcome, run.cause)
    due = check_schedule.next_check(merged, now, is_illegal=is_illegal)
    if has_more or (due and outcome and outcome.kind == "refused"):
        due = now  # our row may be behind (rule 8)
    merged = merged.model_copy(update={"last_hash": entry.hash, "due_at": due})
    record = _closed_record(payment, merged, refunds, outcome, now)
    crash_points.reach("committing", payment.id)
    written = _commit(payment, merged, entry, provider_state, run, record, refunds)
    crash_points.reach("committed", payment.id)
    log.info(
        "payment changed",
        payment_id=payment.id,
        provider=payment.provider_id,
        cause=run.cause,
        from_status=payment.status,
        to_status=merged.status,
        operation=entry.operation,
        outcome=entry.outcome,
    )
    return written


def _commit(
    payment: Payment,
    merged: Payment,
    entry: Entry,
    provider_state: ProviderPayment | None,
    run: RunContext,
    record: IdempotencyRecord | None,
    refunds: list[Refund],
) -> Payment:
    """T2, with the method that the payment saves. Raises Outrun, EventSeen, Congested."""
    link = True
    for _ in range(scheduling.WRITE_TRIES):
        saved = save_method.writes(payment, merged, provider_state)
        if saved:
            crash_points.reach("saving", payment.id)
        try:
            return payment_writes.commit_transition(
                payment, merged, entry, record, refunds, saved, event=run.event, link=link
            )
        except payment_writes.ProviderIdTaken:
            log.error("provider payment id is taken", payment_id=payment.id)
            telemetry.measure("provider_id_taken")
            link = False
        except payment_writes.SavedMeanwhile:
            log.info("saved methods changed meanwhile", payment_id=payment.id)
    raise Throttled


def _known_refunds(payment: Payment, provider_state: ProviderPayment | None) -> list[Refund]:
    """Our rows of the refunds that are told of. Read after the fence, so older than no fence."""
    reported = provider_state.refunds if provider_state else ()
    asked = payment.active_attempt.refund if payment.active_attempt else None
    if all(asked and each.refund_id == asked.id for each in reported):
        return [asked] if asked else []
    return payment_items.refunds(payment.id)


def _pending(refunds: list[Refund]) -> int:
    return sum(refund.status == "pending" for refund in refunds)


def _pending_of(known: list[Refund], changed: list[Refund]) -> int:
    """How many of those that change were pending so far."""
    ids = {refund.id for refund in changed}
    return _pending([refund for refund in known if refund.id in ids])


def _report(payment: Payment, merged: Payment, provider_state: ProviderPayment | None) -> bool:
    """Count what should not happen, for the alarms; True for a move that was not made."""
    if payment.status == "canceled" and merged.status == "succeeded":
        telemetry.measure("canceled_but_paid")
    if not provider_state or provider_state.status == payment.status:
        return False
    if provider_state.status is None:
        log.error("unknown provider status", payment_id=payment.id, word=provider_state.raw_status)
        telemetry.measure("unknown_provider_status")
        return True
    move = (payment.status, provider_state.status)
    if state_machine.may_move(*move) or move in state_machine.EXPECTED:
        return False
    log.error("illegal transition", payment_id=payment.id, word=provider_state.raw_status)
    telemetry.measure("illegal_transition")
    return True


def _closed_record(
    before: Payment, after: Payment, refunds: list[Refund], outcome: AttemptOutcome | None, now: int
) -> IdempotencyRecord | None:
    """What becomes of the client's key when its attempt has ended (section 4, action 3).

    Nothing once the key has expired: it may be another request's by then.
    """
    key = before.active_attempt.client_key if before.active_attempt else None
    if not outcome or not before.active_attempt or not key or key.expires <= now:
        return None
    done, asked = outcome.kind == "done", before.active_attempt.refund
    made = next((each for each in refunds if asked and each.id == asked.id), asked)
    answer = made or after
    return IdempotencyRecord(
        key=key.record,
        fingerprint=key.fingerprint,
        subject_id=answer.id,
        state="done" if done else "free",
        declined=done and before.active_attempt.operation == "confirm" and after.status == "failed",
        snapshot=answer.model_dump_json(exclude_none=True) if done else None,
        expires=key.expires,
    )
