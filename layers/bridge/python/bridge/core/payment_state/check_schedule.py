"""When the next status check of a payment is due (`due_at`).

Source: docs/payment-correctness.md, sections 6 and 8.
"""

from bridge.core.payment_state import state_machine
from bridge.core.rules import scheduling
from bridge.models.payment import Payment

FIRST_CHECKS_S = (5, 30)
SWEEP_S = 60
MINUTE, HOUR, DAY = 60, 3600, 86400
CHECKS_AFTER_S = (MINUTE, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR)


def next_check(payment: Payment, now: int, *, is_illegal: bool = False) -> int | None:
    """The second at which the payment is due again, or None if nothing can change any more.

    With an active attempt: 5 and 30 seconds after the lock, just after the lease, at the latest
    in a minute. Without one the pauses grow with the time since facts last changed. `is_illegal`:
    the provider contradicts our row, so the payment stays due even if its state is final (rule 8).
    `now` is in seconds. Source: docs/payment-correctness.md, section 8.
    """
    if attempt := payment.active_attempt:
        checks = [attempt.at + pause for pause in FIRST_CHECKS_S if attempt.at + pause > now]
        ends = [attempt.until + 1] if now <= attempt.until else []
        return min([*checks, *ends, now + SWEEP_S])
    at_rest = not state_machine.can_move(payment.status, is_open=payment.is_open)
    if at_rest and not is_illegal and not payment.refunds_pending:
        return None
    since = int(payment.changed_at.timestamp())
    return scheduling.next_try(since, now, CHECKS_AFTER_S, DAY)
