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
from bridge.models.payment import ActiveAttempt, AttemptOutcome, Entry, Payment
from bridge.models.provider import Failure, ProviderPayment
from bridge.models.refund import Refund
from bridge.models.run_context import RunContext
from bridge.providers import registry
from bridge.store.dynamodb import Throttled
from bridge.store.payments import payment_items, payment_writes


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

    Raises VersionConflict if the row changed since it was read, Throttled.
    Source: docs/payment-correctness.md, section 5.
    """
    at = clock.now()
    now = int(at.timestamp())
    single = registry.open_provider(payment.provider_id).single_capture
    known = _known_refunds(payment, provider_state)
    found = merge.merge(payment, provider_state, known, at, own_outcome, single_capture=single)
    merged, outcome, refunds = found.payment, found.outcome, found.refunds
    _report(payment, merged, provider_state)
    if not outcome and not refunds and not timeline.differ(payment, merged):
        unchanged = replace(merged, due_at=check_schedule.next_check(merged, now))
        return payment_writes.advance(payment, unchanged, event=run.event)
    merged = replace(merged, changed_at=at, updated_at=at)
    due = check_schedule.next_check(merged, now)
    has_more = len(refunds) == merge.REFUNDS_AT_ONCE
    if has_more or (due and outcome and outcome.kind == "refused"):
        due = now  # after a refusal our row may be out of date (rule 8)
    merged = replace(merged, due_at=due)
    merged, entries = timeline.write_entries(payment, merged, refunds, outcome, run.cause)
    record = _closed_record(payment, merged, refunds, outcome, now)
    crash_points.reach("committing", payment.id)
    written = _commit(payment, merged, entries, provider_state, run, record, refunds)
    crash_points.reach("committed", payment.id)
    log.info(
        "payment changed",
        payment_id=payment.id,
        provider=payment.provider_id,
        cause=run.cause,
        from_status=payment.status,
        to_status=merged.status,
        operation=entries[0].operation,
        outcome=entries[0].outcome,
    )
    return written


def _commit(
    payment: Payment,
    merged: Payment,
    entries: list[Entry],
    provider_state: ProviderPayment | None,
    run: RunContext,
    record: IdempotencyRecord | None,
    refunds: list[Refund],
) -> Payment:
    """Send T2, again with fresh data if only a side record was in the way.

    That is the pointer from the provider's id (it belongs to another payment: T2 is sent without
    it) or what is saved for the customer (it is read again). Raises VersionConflict, Throttled.
    """
    link = True
    for _ in range(scheduling.WRITE_TRIES):
        saved = save_method.writes(payment, merged, provider_state)
        if saved:
            crash_points.reach("saving", payment.id)
        try:
            return payment_writes.commit_transition(
                payment, merged, entries, record, refunds, saved, event=run.event, link=link
            )
        except payment_writes.ProviderIdTaken:
            log.error("provider payment id is taken", payment_id=payment.id)
            telemetry.measure("provider_id_taken")
            link = False
        except payment_writes.SavedMeanwhile:
            log.info("saved methods changed meanwhile", payment_id=payment.id)
    raise Throttled


def _known_refunds(payment: Payment, provider_state: ProviderPayment | None) -> list[Refund]:
    """Our refunds, as far as the merge needs them.

    They are read after the payment's version, so they are at least as new as that version.
    """
    requested = payment.active_attempt.refund if payment.active_attempt else None
    reported = provider_state.refunds if provider_state else None
    has_some = reported or payment.refunded_cents or payment.refunds_pending
    if reported is not None and has_some:
        return payment_items.refunds(payment.id)
    return [requested] if requested else []


def _report(payment: Payment, merged: Payment, provider_state: ProviderPayment | None) -> None:
    """Count for the alarms what should not happen."""
    if payment.status == "canceled" and merged.status == "succeeded":
        telemetry.measure("canceled_but_paid")
    if not provider_state or state_machine.may_report(payment.status, provider_state.status):
        return
    if provider_state.status is None:
        log.error("unknown provider status", payment_id=payment.id, word=provider_state.raw_status)
        telemetry.measure("unknown_provider_status")
        return
    log.error("illegal transition", payment_id=payment.id, word=provider_state.raw_status)
    telemetry.measure("illegal_transition")


def _closed_record(
    before: Payment, after: Payment, refunds: list[Refund], outcome: AttemptOutcome | None, now: int
) -> IdempotencyRecord | None:
    """The client's idempotency record after its attempt ended, or None if it stays as it is.

    Done: the record contains the response from now on (rule 19). Refused or not sent: the state is
    `free`, the record is deleted, and the client may use its key again. It stays open if another
    attempt takes the place of this one. An expired record is left alone: the key may belong to
    another request by then. Source: docs/payment-correctness.md, section 4.
    """
    attempt = before.active_attempt
    key = attempt.client_key if attempt else None
    if not outcome or not attempt or not key or key.expires <= now or outcome.next_attempt:
        return None
    done, requested = outcome.kind == "done", attempt.refund
    refund = next((each for each in refunds if requested and each.id == requested.id), requested)
    declined = decline_of(attempt, outcome.failure, after) if done else None
    response = refund or (replace(after, failure=declined) if declined else after)
    return IdempotencyRecord(
        key=key.record,
        fingerprint=key.fingerprint,
        subject_id=response.id,
        state="done" if done else "free",
        declined=declined is not None,
        snapshot=json_of(response) if done else None,
        expires=key.expires,
    )


def decline_of(
    attempt: ActiveAttempt, own_decline: Failure | None, after: Payment | ProviderPayment
) -> Failure | None:
    """Why the client's answer is 402, or None if the attempt, which is done, was not declined.

    `own_decline`, from the worker's own answer, counts whatever has happened since (rule 19).
    `after`: the state in that answer, or the row; a confirm or capture that left it failed was
    declined.
    """
    if own_decline or attempt.operation not in ("confirm", "capture"):
        return own_decline
    return after.failure if after.status == "failed" else None
