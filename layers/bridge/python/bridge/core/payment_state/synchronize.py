"""Bring a payment to the provider's state: `synchronize`, and `record_outcome` after a call.

Three writers change a payment: API calls, the queue worker and the sweep. All of them come through
here. Each one reads the row and its version first, then asks the provider, then writes on the
condition that the version is still the same (rule 5). A writer that was overtaken reads again.

The rules that are cited by number: docs/payment-correctness.md, section 3.
Source: docs/payment-correctness.md, sections 5 and 6.
"""

from contextlib import suppress

from msgspec.structs import replace

from bridge import clock, queues
from bridge.core.payment_state import check_schedule, commit, creations
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
CHECK_TRIES = 10  # more than for other writes: a client may change its own fields all the time


def schedule_status_checks(payment: Payment, error: BridgeError) -> None:
    """Queue status checks of an attempt whose outcome is unknown (rule 4).

    They run after 5 and 30 seconds. If they cannot be queued, the sweep does the check: the
    payment is due anyway.
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
    """The second after which nothing that this run sends can still take effect."""
    return int(run.ends_at.timestamp()) + provider.horizon_s + CLOCKS_DIFFER_S


def record_outcome(
    locked: Payment,
    provider_state: ProviderPayment | None,
    outcome: AttemptOutcome,
    run: RunContext,
) -> Payment:
    """Write how an attempt ended, by the worker that sent it: T2, which releases the lock.

    How the attempt ended is a fact; the state in the answer is only a snapshot (rule 11). So if
    the version has changed since T1, the outcome is kept and the provider's state is fetched again.

    Returns the row as written, or `locked` if it could not be written. Then the lock stays and the
    sweep ends the attempt later. Does not raise for errors of DynamoDB or the provider.
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
    """End a refused attempt without the provider's state, which could not be fetched (rule 11).

    This is safe because the provider surely did nothing.
    """
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
    """Ask the provider for the payment's state and save it. Returns the row as written.

    `payment` must have been read before this call: its version guards the write (rule 5). If
    another writer was faster, read again and ask again: only what a write has saved is answered.

    Raises NotExecuted or UnknownOutcome if the status check fails; the next check is scheduled
    then. Raises TemporarilyUnavailable if DynamoDB did not take the write, or others wrote each
    time. Source: docs/payment-correctness.md, section 5.
    """
    for _ in range(CHECK_TRIES):
        provider_state, outcome = _fetch_state(payment, run, own_outcome)
        crash_points.reach("fetched", payment.id)
        try:
            written = commit.write(payment, provider_state, outcome, run)
        except dynamodb.VersionConflict:
            payment = _read_again(payment, run)
            continue
        if outcome is None or outcome.next_attempt is None:
            return written
        payment = written  # the status check of a creation sends it (rule 17)
    raise TemporarilyUnavailable("others keep changing this payment", retry_after=1)


def _read_again(payment: Payment, run: RunContext) -> Payment:
    """The row as it is stored now; in an API run with its client secret, which is returned."""
    if run.cause != "api":
        return payment_items.get(payment.id) or payment  # workers may not read secrets
    fresh, _ = payment_items.read(payment.id, None, clock.seconds())
    return fresh or payment


def _fetch_state(
    payment: Payment, run: RunContext, own_outcome: AttemptOutcome | None
) -> tuple[ProviderPayment | None, AttemptOutcome | None]:
    """The status check: the provider's state, and how the attempt ended if that is known."""
    provider = registry.open_provider(payment.provider_id)
    attempt = payment.active_attempt
    try:
        if payment.provider_payment_id:
            return provider.fetch_payment(payment, ends_at=run.ends_at), own_outcome
        if attempt is None:
            return None, own_outcome  # a refused creation: the provider has no object
        provider_state = creations.find(payment, attempt, run)
        if provider_state:
            return provider_state, own_outcome
        return None, creations.give_up(payment, attempt, lease_end(run, provider))
    except Refused as refusal:
        # Until its lease is over the first call may still take effect, although this was refused.
        if attempt and attempt.operation == "create" and clock.seconds() > attempt.until:
            return None, refusal_outcome(attempt, refusal)
        _postpone(payment, None)
        raise
    except (UnknownOutcome, NotExecuted) as error:
        log.info("status check failed", payment_id=payment.id, error=error.code)
        _postpone(payment, error)
        raise


def refusal_outcome(attempt: ActiveAttempt, refusal: NotExecuted) -> AttemptOutcome:
    """The outcome of an attempt that the provider surely did not execute."""
    failure = Failure(code=refusal.reason or refusal.code, message=str(refusal))
    return AttemptOutcome(attempt=attempt.number, kind="refused", failure=failure)


def _postpone(payment: Payment, error: BridgeError | None) -> None:
    """Schedule the next status check after one that failed.

    Not for a payment at rest: if it is checked, that is because of an event, whose counter stays
    due (rule 14).
    """
    if payment.due_at is None:
        return
    later = replace(payment, due_at=check_schedule.next_try(payment, clock.seconds()))
    if payment.active_attempt and isinstance(error, UnknownOutcome):
        attempt = creations.with_answers(payment.active_attempt, error)
        later = replace(later, active_attempt=attempt)
    # If this fails, another writer has set it, or the payment is due already.
    with suppress(dynamodb.VersionConflict, TemporarilyUnavailable):
        payment_writes.advance(payment, later)
