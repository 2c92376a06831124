"""How three writers keep one payment true: settle and converge.

Source: design/convergence.md, whose rules are cited by number.
"""

from contextlib import suppress

from bridge import clock, queues
from bridge.core.payment_state import check_schedule, commit, merge
from bridge.core.rules import crash_points, scheduling
from bridge.core.rules.telemetry import log
from bridge.errors import (
    BridgeError,
    NotExecuted,
    Refused,
    TemporarilyUnavailable,
    UnknownOutcome,
)
from bridge.models.payment import ActiveAttempt, AttemptOutcome, Payment
from bridge.models.provider import Failure, ProviderPayment
from bridge.models.queue_message import StatusCheck
from bridge.models.run_context import RunContext
from bridge.providers import registry
from bridge.providers.contract import Provider
from bridge.store import dynamodb
from bridge.store.payments import payment_items, payment_writes

CLOCKS_DIFFER_S = 5
GIVE_UP_AFTER_CHECKS_S = 3600


def schedule_status_checks(payment: Payment, error: BridgeError) -> None:
    """A call has gone out, or may have: its outcome is for a look to find (rule 4).

    Looks of a few seconds are queued. Where they cannot be, the payment is still due.
    """
    log.warning(
        "outcome unknown",
        payment_id=payment.id,
        provider=payment.provider_id,
        operation=payment.locked_attempt.operation,
        outcome="unknown",
        error=error.code,
    )
    try:
        queues.send_status_checks(
            StatusCheck(payment_id=payment.id, attempt=payment.locked_attempt.number),
            *check_schedule.FIRST_CHECKS_S,
        )
    except TemporarilyUnavailable:
        log.warning("status checks could not be queued", payment_id=payment.id)


def lease_end(run: RunContext, provider: Provider) -> int:
    """After this second nothing that this run sends can still land."""
    return int(run.ends_at.timestamp()) + provider.horizon_s + CLOCKS_DIFFER_S


def record_outcome(
    locked: Payment,
    provider_state: ProviderPayment | None,
    outcome: AttemptOutcome,
    run: RunContext,
) -> Payment:
    """T2 by the worker whose attempt it was; with the fence lost, by `converge` (rule 11).

    Does not raise for a store or a provider in trouble: the lock then stays for the sweep to end.
    """
    try:
        return commit.write(locked, provider_state, outcome, run)
    except TemporarilyUnavailable:
        log.warning("left to the sweep", payment_id=locked.id)
        return locked
    except dynamodb.VersionConflict:
        pass
    try:
        return synchronize(_read_again(locked, run), run, outcome)
    except BridgeError as error:
        if outcome.kind == "refused":
            return _release_lock(locked, outcome, run)
        log.warning("left to the sweep", payment_id=locked.id, error=error.code)
        return locked


def _release_lock(locked: Payment, outcome: AttemptOutcome, run: RunContext) -> Payment:
    """Nothing was done, so the attempt ends also where nobody can look (rule 11)."""
    with suppress(TemporarilyUnavailable):
        for _ in range(scheduling.WRITE_TRIES):
            try:
                return commit.write(_read_again(locked, run), None, outcome, run)
            except dynamodb.VersionConflict:
                continue
    log.warning("left to the sweep", payment_id=locked.id)
    return locked


def synchronize(
    payment: Payment, run: RunContext, own_outcome: AttemptOutcome | None = None
) -> Payment:
    """Bring our row to the provider's truth. `payment` was read before the provider is asked.

    Raises NotExecuted or UnknownOutcome when the look does, with the next look put off, and
    TemporarilyUnavailable when the store does not take what it showed, EventSeen when the event
    that `call` answers has been handled meanwhile.
    """
    for _ in range(scheduling.WRITE_TRIES):
        provider_state, outcome = _fetch_state(payment, run, own_outcome)
        crash_points.reach("fetched", payment.id)
        try:
            return commit.write(payment, provider_state, outcome, run)
        except dynamodb.VersionConflict:
            payment = _read_again(payment, run)
    return payment  # somebody else is making progress


def _read_again(payment: Payment, run: RunContext) -> Payment:
    """The row as it is now, with its secret for a caller's eyes; workers may not read those."""
    if run.cause != "api":
        return payment_items.get(payment.id) or payment
    fresh, _ = payment_items.read(payment.id, None, clock.seconds())
    return fresh or payment


def _fetch_state(
    payment: Payment, run: RunContext, own_outcome: AttemptOutcome | None
) -> tuple[ProviderPayment | None, AttemptOutcome | None]:
    """The provider's state now, and how the attempt ended where only the look can tell.

    At a creation the look is the same keyed call again (section 6).
    """
    provider, attempt, now = (
        registry.open_provider(payment.provider_id),
        payment.active_attempt,
        clock.seconds(),
    )
    try:
        if payment.provider_payment_id:
            return provider.fetch_payment(payment, ends_at=run.ends_at), own_outcome
        if attempt is None:
            return None, own_outcome  # a refused creation: there is nothing to look at
        if now < attempt.at + provider.create_check_s:
            provider_state = provider.create_payment(
                attempt.sent or "", key=attempt.key, ends_at=run.ends_at
            )
            return provider_state, own_outcome
        if now < attempt.at + provider.create_check_s + GIVE_UP_AFTER_CHECKS_S:
            raise UnknownOutcome("the provider no longer remembers this creation")
        return None, AttemptOutcome(attempt=attempt.number, kind="not_sent", failure=merge.NOT_SENT)
    except Refused as refusal:
        if attempt and attempt.operation == "create" and now > attempt.until:
            return None, refusal_outcome(attempt, refusal)
        _postpone(payment, now)
        raise
    except (UnknownOutcome, NotExecuted) as error:
        log.info("status check failed", payment_id=payment.id, error=error.code)
        _postpone(payment, now)
        raise


def refusal_outcome(attempt: ActiveAttempt, refusal: NotExecuted) -> AttemptOutcome:
    """The ending of an attempt that its provider, surely, did not execute."""
    failure = Failure(code=refusal.reason or refusal.code, message=str(refusal))
    return AttemptOutcome(attempt=attempt.number, kind="refused", failure=failure)


def _postpone(payment: Payment, now: int) -> None:
    was_due = payment.due_at is not None  # also at rest, where the provider contradicts us
    due_at = check_schedule.next_check(payment, now, is_illegal=was_due)
    later = payment.model_copy(update={"due_at": due_at})
    # Where this fails another writer has set it, or the payment is due already.
    with suppress(dynamodb.VersionConflict, TemporarilyUnavailable):
        payment_writes.advance(payment, later)
