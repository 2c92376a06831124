"""When a payment is looked at next. Source: design/convergence.md, sections 6 and 8."""

from bridge.core.payment_state import state_machine
from bridge.core.rules import scheduling
from bridge.models.payment import Payment

FIRST_CHECKS_S = (5, 30)
SWEEP_S = 60
MINUTE, HOUR, DAY = 60, 3600, 86400
CHECKS_AFTER_S = (MINUTE, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR)


def next_check(payment: Payment, now: int, *, is_illegal: bool = False) -> int | None:
    """When the payment is due again: soon while a call is out, else by the age of the last change.

    None where nothing can move and the provider does not contradict us. Source: sections 6 and 8.
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
