"""How three writers keep one payment true: settle and converge.

Source: design/convergence.md, whose rules are cited by number.
"""

from contextlib import suppress

from bridge import clock, queues
from bridge.core.payment_state import check_schedule, commit, merge
from bridge.core.rules import crash_points
from bridge.core.rules.telemetry import log
from bridge.errors import (
    BridgeError,
    NotExecuted,
    Refused,
    TemporarilyUnavailable,
    UnknownOutcome,
)
from bridge.models.call import Call
from bridge.models.event import Look
from bridge.models.payment import Ending, LiveAttempt, Payment
from bridge.models.provider import Failure, ProviderPayment
from bridge.providers import registry
from bridge.providers.contract import Provider
from bridge.store.payments import payment_items, payment_writes

ROUNDS = 4
CLOCKS_DIFFER_S = 5
GIVE_UP_AFTER_LOOKS_S = 3600


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
        queues.send_looks(
            Look(payment_id=payment.id, attempt=payment.held.number), *check_schedule.LIVE_LOOKS_S
        )
    except TemporarilyUnavailable:
        log.warning("looks could not be queued", payment_id=payment.id)


def lease_end(call: Call, provider: Provider) -> int:
    """After this second nothing that this run sends can still land."""
    return int(call.ends_at.timestamp()) + provider.horizon_s + CLOCKS_DIFFER_S


def settle(locked: Payment, shown: ProviderPayment | None, ending: Ending, call: Call) -> Payment:
    """T2 by the worker whose attempt it was; with the fence lost, by `converge` (rule 11).

    Does not raise for a store or a provider in trouble: the lock then stays for the sweep to end.
    """
    try:
        return commit.write(locked, shown, ending, call)
    except TemporarilyUnavailable:
        log.warning("left to the sweep", payment_id=locked.id)
        return locked
    except payment_writes.Outrun:
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
                return commit.write(_again(locked, call), None, ending, call)
            except payment_writes.Outrun:
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
        crash_points.step("looked", payment.id)
        try:
            return commit.write(payment, shown, ending, call)
        except payment_writes.Outrun:
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
    due_at = check_schedule.next_look(payment, now, is_illegal=was_due)
    later = payment.model_copy(update={"due_at": due_at})
    # Where this fails another writer has set it, or the payment is due already.
    with suppress(payment_writes.Outrun, TemporarilyUnavailable):
        payment_writes.advance(payment, later)
