"""Compute what our row becomes from the provider's state. Pure: no clock, no I/O.

Source: docs/payment-correctness.md, sections 2 and 5.
"""

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

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
    """The row after the merge, and how its active attempt ended, or None if it did not end.

    `provider_state` is None if the provider has no object for this payment. `own_outcome` is how
    the attempt ended, if the caller knows that for certain; otherwise the provider's state must
    prove it. `now` is in seconds. `single_capture`: see `Provider` in providers/contract.py.
    Source: docs/payment-correctness.md, section 5.
    """
    outcome = _outcome_of(payment, provider_state, now, own_outcome, single_capture=single_capture)
    merged = replace(payment, **_facts(payment, provider_state)) if provider_state else payment
    if outcome and payment.active_attempt:
        merged = _with_outcome(merged, payment.active_attempt, outcome, provider_state)
    if merged.status != "failed":
        merged = replace(merged, failure=None)
    if merged.status in FINAL:
        merged = replace(merged, client_secret=None, next_action=None)
    return replace(merged, refundable_cents=refundable(merged)), outcome


def refundable(payment: Payment) -> int:
    """The cents that can still be refunded: captured, less refunded, less an active refund."""
    requested = payment.active_attempt.refund if payment.active_attempt else None
    reserved = requested.amount_cents if requested else 0
    return max(0, payment.captured_cents - payment.refunded_cents - reserved)


def merge_refunds(
    payment: Payment,
    known: Iterable[Refund],
    provider_state: ProviderPayment | None,
    outcome: AttemptOutcome | None,
    at: datetime,
) -> list[Refund]:
    """The refunds to write: those that changed, and those that were made at the provider.

    `known` are our refunds, at least those that `provider_state` reports. A refund whose attempt
    was refused or not sent becomes `failed`. `at` becomes their `updated_at`.
    """
    rows = {refund.id: refund for refund in known}
    changed = []
    for reported in provider_state.refunds if provider_state else ():
        row = _row_of(rows.values(), reported) or _made_at_provider(payment, reported)
        facts = {"provider_refund_id": reported.provider_refund_id, "status": reported.status}
        after = replace(row, **facts)
        if after != rows.get(row.id):
            changed.append(replace(after, updated_at=at))
    requested = payment.active_attempt.refund if payment.active_attempt else None
    if outcome and outcome.kind != "done" and requested:
        changed.append(replace(requested, status="failed", updated_at=at))
    return changed


def _row_of(rows: Iterable[Refund], reported: ProviderRefund) -> Refund | None:
    """Our refund with the provider's id, else with our own id if it has no provider's id yet."""
    for row in rows:
        if row.provider_refund_id == reported.provider_refund_id:
            return row
        if row.id == reported.refund_id and row.provider_refund_id is None:
            return row
    return None


def _made_at_provider(payment: Payment, reported: ProviderRefund) -> Refund:
    """A refund that is new to us, for example one made at the provider's dashboard."""
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
    """What the provider's state says about the row. A forbidden or unknown state keeps ours."""
    reported = provider_state.status
    is_allowed = reported is not None and state_machine.may_move(payment.status, reported)
    status = reported if is_allowed else payment.status
    is_first = payment.provider_payment_id is None
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
        "client_secret": provider_state.client_secret if is_first else payment.client_secret,
    }
    total = provider_state.total_cents
    if total != payment.total_cents:  # rule 10: the provider's amount is the amount
        facts |= {"total_cents": total} | _split(payment, total)
    if status == "succeeded" and not payment.completed_at:
        facts["completed_at"] = provider_state.charged_at
    return facts


def _split(payment: Payment, total: int) -> dict[str, int]:
    """Amounts that add up to the provider's total. Tax and discount stay, if they still fit."""
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
    """How the active attempt ended; None while it stays active.

    In this order: what its own worker knows; what the provider's state proves; not sent, if
    nothing is proved and the lease is over. A creation does not end as not sent here:
    `synchronize` decides that when the status checks of the creation have stopped.
    """
    attempt = payment.active_attempt
    if attempt is None:
        return None
    if own_outcome and own_outcome.attempt == attempt.number:
        return own_outcome
    over = now > attempt.until  # from here on nothing of the attempt can still take effect
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
    """Whether the provider's state proves that the attempt took effect.

    `over` says that the lease is over. Until then the payer could have caused this state, and our
    call could still arrive. So some states are a proof only after the lease (rule 12).
    Source: docs/payment-correctness.md, section 5.
    """
    match attempt.operation:
        case "create":
            return True
        case "confirm" if single_capture:
            if provider_state.status in ("succeeded", "requires_capture", "canceled"):
                return True
            moved = provider_state.status not in (attempt.from_status, "created", None)
            return over and (moved or provider_state.charge_id != attempt.seen_charge_id)
        case "update":
            currency = attempt.pending_changes.get("currency", payment.currency)
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
        case _:  # a confirm without single capture: no such provider is built
            raise NotImplementedError(attempt.operation)


def _with_outcome(
    merged: Payment,
    attempt: ActiveAttempt,
    outcome: AttemptOutcome,
    provider_state: ProviderPayment | None,
) -> Payment:
    """The row without its active attempt, which is the release of the lock, and what it left."""
    changes: dict[str, object] = {"active_attempt": None}
    if outcome.kind == "done":
        pending = attempt.pending_changes
        if (
            provider_state
            and "total_cents" in pending
            and pending["total_cents"] != provider_state.total_cents
        ):
            # Somebody set another amount at the provider: that one is the amount (rule 10).
            pending = {k: v for k, v in pending.items() if not k.endswith("_cents")}
        changes |= pending
    elif attempt.operation == "create":
        changes |= {"status": "failed", "failure": outcome.failure, "is_open": False}
    elif outcome.failure == NOT_SENT and attempt.operation == "confirm":
        status = merged.status  # never `failed` over a state in which the payer still acts
        changes |= {"failure": NOT_SENT} if status in ("created", "failed") else {}
        changes |= {"status": "failed"} if status == "created" else {}
    return replace(merged, **changes)
