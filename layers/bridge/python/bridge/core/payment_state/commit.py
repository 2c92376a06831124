"""Write the provider's state to our row: T2, or "nothing changed" if no fact changed.

T2 is one transaction: the row, its timeline entry, the client's idempotency record, the refunds,
and a saved payment method. If the attempt ended, T2 also releases the lock. The transaction itself
is `payment_writes.commit_transition`; this module decides what is in it.

Source: docs/payment-correctness.md, section 4.
"""

from msgspec.structs import replace

from bridge import clock
from bridge.core.payment_state import check_schedule, merge, save_method, state_machine, timeline
from bridge.core.rules import crash_points, scheduling, telemetry
from bridge.core.rules.telemetry import log
from bridge.models.idempotency import IdempotencyRecord
from bridge.models.model import json_of
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
    """Merge the provider's state into the row and write it, under the version of `payment`.

    `payment` is the row as it was read before the provider was asked (rule 5). `own_outcome` is
    how the attempt ended, if this worker sent it or knows it. Without a change of facts, refunds or
    the attempt the write only raises the version (rule 6) and sets the next `due_at`.

    Raises VersionConflict if the row changed since it was read, EventSeen if another delivery of
    the run's event was handled, Throttled. Source: docs/payment-correctness.md, section 5.
    """
    at = clock.now()
    now = int(at.timestamp())
    single = registry.open_provider(payment.provider_id).single_capture
    merged, outcome = merge.merge(payment, provider_state, now, own_outcome, single_capture=single)
    is_illegal = _report(payment, merged, provider_state)
    known = _known_refunds(payment, provider_state)
    refunds = merge.merge_refunds(payment, known, provider_state, outcome, at)
    has_more = len(refunds) > REFUNDS_AT_ONCE  # the rest waits for the next status check
    refunds = refunds[:REFUNDS_AT_ONCE]
    pending = payment.refunds_pending + _pending(refunds) - _pending_of(known, refunds)
    merged = replace(merged, refunds_pending=pending)
    if run.event:
        merged = replace(merged, last_event_at=now)
    if not outcome and not refunds and not timeline.differ(payment, merged):
        due = check_schedule.next_check(merged, now, is_illegal=is_illegal)
        unchanged = replace(merged, due_at=due)
        return payment_writes.advance(payment, unchanged, event=run.event)
    merged = replace(merged, sequence=payment.sequence + 1, changed_at=at, updated_at=at)
    entry = timeline.entry_of(payment, merged, outcome, run.cause)
    due = check_schedule.next_check(merged, now, is_illegal=is_illegal)
    if has_more or (due and outcome and outcome.kind == "refused"):
        due = now  # after a refusal our row may be out of date (rule 8)
    merged = replace(merged, last_hash=entry.hash, due_at=due)
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
    """Send T2, again with fresh data if only a side record was in the way.

    That is the pointer from the provider's id (it belongs to another payment: T2 is sent without
    it) or what is saved for the customer (it is read again). Raises VersionConflict, EventSeen,
    Throttled.
    """
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
    """Our refunds, as far as the provider reports them.

    They are read after the payment's version, so they are at least as new as that version.
    """
    reported = provider_state.refunds if provider_state else ()
    requested = payment.active_attempt.refund if payment.active_attempt else None
    if all(requested and each.refund_id == requested.id for each in reported):
        return [requested] if requested else []  # nothing else is reported: no read is needed
    return payment_items.refunds(payment.id)


def _pending(refunds: list[Refund]) -> int:
    return sum(refund.status == "pending" for refund in refunds)


def _pending_of(known: list[Refund], changed: list[Refund]) -> int:
    """How many of the changed refunds were pending before."""
    ids = {refund.id for refund in changed}
    return _pending([refund for refund in known if refund.id in ids])


def _report(payment: Payment, merged: Payment, provider_state: ProviderPayment | None) -> bool:
    """Count for the alarms what should not happen. True: the provider's state was not taken."""
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
    """The client's idempotency record after its attempt ended, or None if it stays as it is.

    Done: the record contains the response from now on. Refused or not sent: the state is `free`,
    the record is deleted, and the client may use its key again. An expired record is left alone:
    the key may belong to another request by then. Source: docs/payment-correctness.md, section 4.
    """
    key = before.active_attempt.client_key if before.active_attempt else None
    if not outcome or not before.active_attempt or not key or key.expires <= now:
        return None
    done, requested = outcome.kind == "done", before.active_attempt.refund
    refund = next((each for each in refunds if requested and each.id == requested.id), requested)
    response = refund or after
    return IdempotencyRecord(
        key=key.record,
        fingerprint=key.fingerprint,
        subject_id=response.id,
        state="done" if done else "free",
        declined=done and before.active_attempt.operation == "confirm" and after.status == "failed",
        snapshot=json_of(response) if done else None,
        expires=key.expires,
    )
