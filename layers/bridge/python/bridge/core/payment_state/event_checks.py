"""Status checks that cover a payment's events: what an event has counted, only a check clears.

Source: docs/payment-correctness.md, rule 14 and section 7.
"""

from contextlib import suppress
from typing import Literal

from bridge import clock
from bridge.core.payment_state import creations, synchronize
from bridge.core.rules import scheduling
from bridge.core.rules.scheduling import MINUTE
from bridge.core.rules.telemetry import log
from bridge.errors import BridgeError, TemporarilyUnavailable
from bridge.models.event_counter import EventCounter
from bridge.models.payment import Payment
from bridge.models.run_context import RunContext
from bridge.store.payments import event_counter_items, payment_items

FAILING_S = (5, 30, MINUTE, 2 * MINUTE, 5 * MINUTE)
AT_LEAST_EVERY_S = 15 * MINUTE

Result = Literal["checked", "seen", "left", "unmatched"]


def check(counter: EventCounter, run: RunContext) -> Result:
    """Check the payment until all events that were counted are covered.

    `counter` was read before this call, so each event in it happened before the provider is asked.
    `seen`: nothing has come but another delivery of the run's event, which is covered already.
    `left`: the check failed, or events came faster than checks; the counter stays due and the sweep
    goes on. `unmatched`: there is no such payment here.
    """
    for _ in range(scheduling.WRITE_TRIES):
        payment, is_repeat = _read(counter, run)
        if payment is None:
            event_counter_items.remove(counter)
            return "unmatched"
        is_covered = is_repeat and counter.brings_check
        if not is_covered and not _is_synchronized(payment, run):
            _postpone(counter)
            return "left"
        if event_counter_items.cover(counter):
            return "seen" if is_covered else "checked"
        counter = event_counter_items.get(counter.payment_id) or counter
    return "left"


def _read(counter: EventCounter, run: RunContext) -> tuple[Payment | None, bool]:
    """The payment, and whether the run's event was counted before."""
    if run.event is None:
        return payment_items.get(counter.payment_id), False
    return payment_items.read_for_event(counter.payment_id, run.event, clock.seconds())


def _is_synchronized(payment: Payment, run: RunContext) -> bool:
    """Ask the provider and save what it says. False if that failed."""
    try:
        _check_duplicate(payment, run)
        synchronize.synchronize(payment, run)
    except BridgeError as error:
        log.info("left to the sweep", payment_id=payment.id, error=error.code)
        return False
    return True


def _check_duplicate(payment: Payment, run: RunContext) -> None:
    """Cancel the event's object if it has our payment's id and is not the payment's object."""
    if (
        run.event
        and run.event.payment_id == payment.id
        and run.event.provider_payment_id
        and payment.provider_payment_id not in (None, run.event.provider_payment_id)
    ):
        creations.cancel_duplicate(payment, run.event.provider_payment_id, run)


def _postpone(counter: EventCounter) -> None:
    now = clock.seconds()
    since = counter.failing_since or now
    due_at = scheduling.next_try(since, now, FAILING_S, AT_LEAST_EVERY_S)
    with suppress(TemporarilyUnavailable):  # it is due now, which is sooner
        event_counter_items.postpone(counter, due_at, since)
