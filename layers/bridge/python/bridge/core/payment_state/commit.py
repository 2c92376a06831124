"""One write of what a provider's state makes of our row: T2, or a bump where no fact changed.

Source: design/convergence.md, section 4.
"""

from bridge import clock
from bridge.core.payment_state import check_schedule, merge, save_method, state_machine, timeline
from bridge.core.rules import crash_points, telemetry
from bridge.core.rules.telemetry import log
from bridge.models.call import Call
from bridge.models.payment import Ending, Entry, Payment
from bridge.models.provider import ProviderPayment
from bridge.models.record import Record
from bridge.models.refund import Refund
from bridge.providers import registry
from bridge.store.dynamodb import Congested
from bridge.store.payments import payment_items, payment_writes

ROUNDS = 4


REFUNDS_AT_ONCE = 90  # a transaction has at most 100 actions


def write(
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
    if not ending and not refunds and not timeline.differ(payment, merged):
        due = check_schedule.next_look(merged, now, is_illegal=is_illegal)
        bumped = merged.model_copy(update={"due_at": due})
        return payment_writes.advance(payment, bumped, event=call.event)
    merged = merged.model_copy(
        update={"sequence": payment.sequence + 1, "changed_at": at, "updated_at": at}
    )
    entry = timeline.entry_of(payment, merged, ending, call.cause)
    due = check_schedule.next_look(merged, now, is_illegal=is_illegal)
    if has_more or (due and ending and ending.outcome == "refused"):
        due = now  # our row may be behind (rule 8)
    merged = merged.model_copy(update={"last_hash": entry.hash, "due_at": due})
    record = _closed_record(payment, merged, refunds, ending, now)
    crash_points.step("merging", payment.id)
    written = _merge(payment, merged, entry, shown, call, record, refunds)
    crash_points.step("merged", payment.id)
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
            crash_points.step("saving", payment.id)
        try:
            return payment_writes.merge(
                payment, merged, entry, record, refunds, saved, event=call.event, link=link
            )
        except payment_writes.ProviderIdTaken:
            log.error("provider payment id is taken", payment_id=payment.id)
            telemetry.measure("provider_id_taken")
            link = False
        except payment_writes.SavedMeanwhile:
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
        telemetry.measure("canceled_but_paid")
    if not shown or shown.status == payment.status:
        return False
    if shown.status is None:
        log.error("unknown provider status", payment_id=payment.id, word=shown.raw_status)
        telemetry.measure("unknown_provider_status")
        return True
    move = (payment.status, shown.status)
    if state_machine.may_move(*move) or move in state_machine.EXPECTED:
        return False
    log.error("illegal transition", payment_id=payment.id, word=shown.raw_status)
    telemetry.measure("illegal_transition")
    return True


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
