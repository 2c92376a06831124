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
# A refund that succeeded can still fail at the payer's bank; a dispute is decided after weeks.
REFUND_CHECKS_AFTER_S = (DAY, 3 * DAY, 7 * DAY, 14 * DAY, 30 * DAY)
DISPUTE_CHECK_S = 7 * DAY
CONTRADICTED_S = 15 * MINUTE


def next_check(payment: Payment, now: int) -> int | None:
    """The second at which the payment is due again, or None if nothing can change any more.

    With an active attempt: 5 and 30 seconds after the lock, just after the lease, at the latest
    in a minute. Without one the pauses grow with the time since facts last changed. While the
    provider contradicts our row, it stays due even if its state is final (rule 8). A payment at
    rest is watched while it has a young refund or an open dispute (rule 16). `now` is in seconds.
    Source: docs/payment-correctness.md, section 8.
    """
    if attempt := payment.active_attempt:
        checks = [attempt.at + pause for pause in FIRST_CHECKS_S if attempt.at + pause > now]
        ends = [attempt.until + 1] if now <= attempt.until else []
        return min([*checks, *ends, now + SWEEP_S])
    since = int(payment.changed_at.timestamp())
    can_move = state_machine.can_move(payment.status, is_open=payment.is_open)
    if payment.is_contradicted:
        return scheduling.next_try(since, now, CHECKS_AFTER_S, CONTRADICTED_S)
    if can_move or payment.refunds_pending:
        return scheduling.next_try(since, now, CHECKS_AFTER_S, DAY)
    is_disputed = payment.dispute is not None and payment.dispute.state == "open"
    watched = [now + DISPUTE_CHECK_S] if is_disputed else []
    if payment.refunded_cents:
        watched += [since + age for age in REFUND_CHECKS_AFTER_S if since + age > now]
    return min(watched, default=None)


def next_try(payment: Payment, now: int) -> int:
    """When to try again a status check that has failed: in an hour at the latest. In seconds."""
    return min(next_check(payment, now) or now + HOUR, now + HOUR)
