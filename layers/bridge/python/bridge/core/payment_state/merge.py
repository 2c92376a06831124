"""What our row becomes when its provider's state is known: pure, no clock, no I/O.

Source: design/convergence.md, sections 2 and 5.
"""

from collections.abc import Iterable
from datetime import datetime

from bridge.core.payment_state import state_machine
from bridge.models.payment import ActiveAttempt, AttemptOutcome, Payment
from bridge.models.provider import FINAL, Failure, ProviderPayment, ProviderRefund
from bridge.models.refund import Refund

NOT_SENT = Failure(code="not_sent", message="The provider never received this call.")


def merge(
    payment: Payment,
    provider_state: ProviderPayment | None,
    now: int,
    own_outcome: AttemptOutcome | None,
    *,
    single_capture: bool,
) -> tuple[Payment, AttemptOutcome | None]:
    """What our row becomes, and how its attempt ended, if it did.

    `shown` is the provider's state, None where it holds nothing for us; `mine` how our own attempt
    ended, when we know. Source: section 5.
    """
    outcome = _outcome_of(payment, provider_state, now, own_outcome, single_capture=single_capture)
    merged = (
        payment.model_copy(update=_facts(payment, provider_state)) if provider_state else payment
    )
    if outcome and payment.active_attempt:
        merged = _with_outcome(merged, payment.active_attempt, outcome, provider_state)
    if merged.status != "failed":
        merged = merged.model_copy(update={"failure": None})
    if merged.status in FINAL:
        merged = merged.model_copy(update={"client_secret": None, "next_action": None})
    return merged.model_copy(update={"refundable_cents": refundable(merged)}), outcome


def refundable(payment: Payment) -> int:
    """What is left to refund, without the refund that is being asked for."""
    asked = payment.active_attempt.refund if payment.active_attempt else None
    reserved = asked.amount_cents if asked else 0
    return max(0, payment.captured_cents - payment.refunded_cents - reserved)


def merge_refunds(
    payment: Payment,
    known: Iterable[Refund],
    provider_state: ProviderPayment | None,
    outcome: AttemptOutcome | None,
    at: datetime,
) -> list[Refund]:
    """The refunds that become others, or are new to us: somebody refunded at the provider.

    `known`: ours as they stand, as far as `shown` tells of them.
    """
    rows = {refund.id: refund for refund in known}
    changed = []
    for reported in provider_state.refunds if provider_state else ():
        row = _row_of(rows.values(), reported) or _made_elsewhere(payment, reported)
        facts = {"provider_refund_id": reported.provider_refund_id, "status": reported.status}
        after = row.model_copy(update=facts)
        if after != rows.get(row.id):
            changed.append(after.model_copy(update={"updated_at": at}))
    asked = payment.active_attempt.refund if payment.active_attempt else None
    if outcome and outcome.kind != "done" and asked:
        changed.append(asked.model_copy(update={"status": "failed", "updated_at": at}))
    return changed


def _row_of(rows: Iterable[Refund], reported: ProviderRefund) -> Refund | None:
    """Ours by the provider's id, or by our own where no other answer has claimed it."""
    for row in rows:
        if row.provider_refund_id == reported.provider_refund_id:
            return row
        if row.id == reported.refund_id and row.provider_refund_id is None:
            return row
    return None


def _made_elsewhere(payment: Payment, reported: ProviderRefund) -> Refund:
    return Refund(
        id=f"ref_{reported.provider_refund_id}",
        payment_id=payment.id,
        amount_cents=reported.amount_cents,
        currency=reported.currency,
        reason=reported.reason,
        created_at=reported.created_at,
        updated_at=reported.created_at,
    )


def _facts(payment: Payment, provider_state: ProviderPayment) -> dict[str, object]:
    moved = (
        provider_state.status
        if provider_state.status and state_machine.may_move(payment.status, provider_state.status)
        else None
    )
    status = moved or payment.status
    first = payment.provider_payment_id is None
    facts: dict[str, object] = {
        "status": status,
        "provider_payment_id": provider_state.provider_payment_id,
        "captured_cents": provider_state.captured_cents,
        "refunded_cents": provider_state.refunded_cents,
        "currency": provider_state.currency,
        "charge_id": provider_state.charge_id or payment.charge_id,
        "is_open": provider_state.is_open,
        "dispute": provider_state.dispute,
        "next_action": provider_state.next_action,
        "failure": provider_state.failure or payment.failure,
        "client_secret": provider_state.client_secret if first else payment.client_secret,
    }
    if (
        provider_state.total_cents != payment.total_cents
    ):  # rule 10: the provider's amount is the amount
        facts |= {"total_cents": provider_state.total_cents} | _split(
            payment, provider_state.total_cents
        )
    if status == "succeeded" and not payment.completed_at:
        facts["completed_at"] = provider_state.charged_at
    return facts


def _split(payment: Payment, total: int) -> dict[str, int]:
    """Parts that add up to a total somebody set elsewhere: tax and discount stay, if they can."""
    subtotal = total - payment.tax_cents + payment.discount_cents
    if subtotal >= 0:
        return {"subtotal_cents": subtotal}
    return {"subtotal_cents": total, "tax_cents": 0, "discount_cents": 0}


def _outcome_of(
    payment: Payment,
    provider_state: ProviderPayment | None,
    now: int,
    own_outcome: AttemptOutcome | None,
    *,
    single_capture: bool,
) -> AttemptOutcome | None:
    attempt = payment.active_attempt
    if attempt is None:
        return None
    if own_outcome and own_outcome.attempt == attempt.number:
        return own_outcome
    over = now > attempt.until
    if provider_state and _took_place(
        payment, attempt, provider_state, over=over, single_capture=single_capture
    ):
        return AttemptOutcome(attempt=attempt.number, kind="done")
    if over and attempt.operation != "create":
        return AttemptOutcome(attempt=attempt.number, kind="not_sent", failure=NOT_SENT)
    return None


def _took_place(
    payment: Payment,
    attempt: ActiveAttempt,
    provider_state: ProviderPayment,
    *,
    over: bool,
    single_capture: bool,
) -> bool:
    """Whether a look proves that the attempt took place; rule 12 where that takes the lease."""
    match attempt.operation:
        case "create":
            return True
        case "confirm" if single_capture:
            if provider_state.status in ("succeeded", "requires_capture", "canceled"):
                return True
            moved = provider_state.status not in (attempt.from_status, "created", None)
            return over and (moved or provider_state.charge_id != attempt.seen_charge_id)
        case "update":
            currency = attempt.pending_changes.currency or payment.currency
            agrees = (provider_state.total_cents, provider_state.currency) == (
                attempt.total_cents,
                currency,
            )
            differed = (attempt.was_cents, payment.currency) != (attempt.total_cents, currency)
            return agrees and (over or differed)
        case "cancel":
            return provider_state.status == "canceled"
        case "capture":
            return provider_state.captured_cents > 0 or (
                over and provider_state.status == "processing"
            )
        case "refund" if attempt.refund:
            return any(
                reported.refund_id == attempt.refund.id for reported in provider_state.refunds
            )
        case _:  # providers without single capture come with their verbs
            raise NotImplementedError(attempt.operation)


def _with_outcome(
    merged: Payment,
    attempt: ActiveAttempt,
    outcome: AttemptOutcome,
    provider_state: ProviderPayment | None,
) -> Payment:
    changes: dict[str, object] = {"active_attempt": None}
    if outcome.kind == "done":
        pending = attempt.pending_changes.model_dump(exclude_none=True)
        if (
            provider_state
            and "total_cents" in pending
            and pending["total_cents"] != provider_state.total_cents
        ):
            pending = {k: v for k, v in pending.items() if not k.endswith("_cents")}
        changes |= pending
    elif attempt.operation == "create":
        changes |= {"status": "failed", "failure": outcome.failure, "is_open": False}
    elif outcome.failure == NOT_SENT and attempt.operation == "confirm":
        found = merged.status  # another state than these two is one that the look found
        changes |= {"failure": NOT_SENT} if found in ("created", "failed") else {}
        changes |= {"status": "failed"} if found == "created" else {}
    return merged.model_copy(update=changes)
