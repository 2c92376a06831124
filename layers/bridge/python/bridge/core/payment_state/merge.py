"""Compute what our row becomes from the provider's state. Pure: no clock, no I/O.

Source: docs/payment-correctness.md, sections 2 and 5.
"""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from bridge.core.payment_state import state_machine
from bridge.models.payment import ActiveAttempt, AttemptOutcome, Payment
from bridge.models.provider import FINAL, Failure, ProviderPayment, ProviderRefund
from bridge.models.refund import Refund, RefundStatus

NOT_SENT = Failure(code="not_sent", message="The provider never received this call.")
# What an update changes at the provider. The row takes it from the provider's answer (rule 18).
READ_BACK = ("total_cents", "currency", "setup_future_usage", "statement_descriptor")
# A refund goes one way only: an answer with an earlier status is older than what we know.
REFUND_ORDER: tuple[RefundStatus, ...] = ("pending", "succeeded", "failed")
REFUNDS_AT_ONCE = 40  # each with its timeline entry; a transaction has at most 100 actions


class Merged(Struct, frozen=True):
    """What the merge found.

    `payment`: the row afterwards. `outcome`: how its active attempt ended, or None if it did not
    end. `refunds`: those to write, because they are new or changed; REFUNDS_AT_ONCE at most, and
    then there may be more.
    """

    payment: Payment
    outcome: AttemptOutcome | None
    refunds: list[Refund]


def merge(
    payment: Payment,
    provider_state: ProviderPayment | None,
    known: Iterable[Refund],
    at: datetime,
    own_outcome: AttemptOutcome | None,
    *,
    single_capture: bool,
) -> Merged:
    """Merge the provider's state into our row.

    `provider_state` is None if the provider has no object for this payment. `known` are our
    refunds: all of them if the provider's state has the list, else at least the requested one.
    `own_outcome` is how the attempt ended, if the caller knows that for certain; otherwise the
    provider's state must prove it. `at` is now. `single_capture`: see `Provider` in
    providers/contract.py. Source: docs/payment-correctness.md, section 5.
    """
    outcome = _outcome_of(
        payment, provider_state, int(at.timestamp()), own_outcome, single_capture=single_capture
    )
    rows = {refund.id: refund for refund in known}
    refunds = changed_refunds(payment, rows, provider_state, outcome, at)[:REFUNDS_AT_ONCE]
    pending = sum(
        (refund.status == "pending") - _is_pending(rows.get(refund.id)) for refund in refunds
    )
    rows |= {refund.id: refund for refund in refunds}
    merged = replace(payment, refunds_pending=payment.refunds_pending + pending)
    if provider_state:
        merged = _with_state(merged, provider_state, rows.values())
    if outcome and payment.active_attempt:
        merged = _with_outcome(merged, payment.active_attempt, outcome)
    if merged.status != "failed":
        merged = replace(merged, failure=None)
    if merged.status in FINAL:
        merged = replace(merged, client_secret=None, next_action=None)
    return Merged(replace(merged, refundable_cents=refundable(merged)), outcome, refunds)


def refundable(payment: Payment) -> int:
    """The cents that can still be refunded: captured, less refunded, less an active refund."""
    requested = payment.active_attempt.refund if payment.active_attempt else None
    reserved = requested.amount_cents if requested else 0
    return max(0, payment.captured_cents - payment.refunded_cents - reserved)


def _is_pending(refund: Refund | None) -> bool:
    return refund is not None and refund.status == "pending"


def changed_refunds(
    payment: Payment,
    rows: dict[str, Refund],
    provider_state: ProviderPayment | None,
    outcome: AttemptOutcome | None,
    at: datetime,
) -> list[Refund]:
    """The refunds to write: those that changed, and those that were made at the provider.

    A refund whose attempt was refused or not sent becomes `failed`. `at` becomes their
    `updated_at`.
    """
    changed = []
    requested = payment.active_attempt.refund if payment.active_attempt else None
    if outcome and outcome.kind != "done" and requested:
        changed.append(replace(requested, status="failed", updated_at=at))
    for reported in _reported(provider_state):
        row = _row_of(rows.values(), reported) or _made_at_provider(payment, reported)
        status = max(row.status, reported.status, key=REFUND_ORDER.index)
        after = replace(row, provider_refund_id=reported.provider_refund_id, status=status)
        if after != rows.get(row.id):
            changed.append(replace(after, updated_at=at))
    return changed


def _reported(provider_state: ProviderPayment | None) -> tuple[ProviderRefund, ...]:
    """The refunds that an answer tells of: all of them, or the one that the call has made."""
    if provider_state is None:
        return ()
    made = (provider_state.refund,) if provider_state.refund else ()
    return made if provider_state.refunds is None else provider_state.refunds


def _with_state(
    payment: Payment, provider_state: ProviderPayment, rows: Iterable[Refund]
) -> Payment:
    """The row with what the provider's state tells. `rows`: the refunds as they are from now on."""
    merged = replace(payment, **_facts(payment, provider_state))
    refunded, agree = _refunded(payment, provider_state, rows)
    is_contradicted = (
        not agree
        or not state_machine.may_report(payment.status, provider_state.status)
        or (provider_state.is_disputed and merged.dispute is None)
    )
    if provider_state.refunds is None:  # not a status check: it cannot take the contradiction away
        is_contradicted = is_contradicted or payment.is_contradicted
    return replace(merged, refunded_cents=refunded, is_contradicted=is_contradicted)


def _refunded(
    payment: Payment, provider_state: ProviderPayment, rows: Iterable[Refund]
) -> tuple[int, bool]:
    """The refunded cents, and whether the provider's figures agree with one another.

    The charge has a sum, and the refunds that did not fail have one. Either may be older than the
    other. If they differ, nothing is taken back from what we know (rule 13).
    """
    reported = provider_state.refunded_cents
    if provider_state.refunds is not None:
        given = _sum(rows)
    else:
        made = provider_state.refund
        given = payment.refunded_cents
        given += made.amount_cents if made and made.status != "failed" else 0
    if reported is None or reported == given:
        return given, True
    return max(given, reported, payment.refunded_cents), False


def _sum(rows: Iterable[Refund]) -> int:
    """What went back: our refunds that the provider knows and that did not fail."""
    return sum(
        row.amount_cents for row in rows if row.provider_refund_id and row.status != "failed"
    )


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
    """What the provider's state says about the row. A forbidden or unknown state keeps ours.

    What the answer does not tell stays as it is. Captured money never becomes less.
    """
    reported = provider_state.status
    is_first = payment.provider_payment_id is None
    facts: dict[str, object] = {
        "captured_cents": max(payment.captured_cents, provider_state.captured_cents),
        "charge_id": provider_state.charge_id or payment.charge_id,
        "dispute": provider_state.dispute or payment.dispute,
    }
    is_move = reported is not None and state_machine.may_move(payment.status, reported)
    status = reported if is_move else payment.status
    fits = reported is None or state_machine.may_report(payment.status, reported)
    if not fits or (status in FINAL and reported not in (status, None)):
        return facts  # it is older than our row, or contradicts it: only money is taken from it
    facts |= {
        "status": status,
        "provider_payment_id": provider_state.provider_payment_id,
        "currency": provider_state.currency,
        "setup_future_usage": provider_state.setup_future_usage,
        "provider_method": provider_state.method,
        "is_open": provider_state.is_open,
        "next_action": provider_state.next_action,
        "failure": provider_state.failure or payment.failure,
        "client_secret": provider_state.client_secret if is_first else payment.client_secret,
    }
    if not payment.is_hidden:
        facts["statement_descriptor"] = provider_state.statement_descriptor
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
        attempt, provider_state, over=over, single_capture=single_capture
    ):
        return AttemptOutcome(attempt=attempt.number, kind="done")
    if over and attempt.operation != "create":
        return AttemptOutcome(attempt=attempt.number, kind="not_sent", failure=NOT_SENT)
    return None


def _took_place(
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
            is_new = provider_state.charge_id not in (None, attempt.seen_charge_id)
            return over and (moved or is_new)
        case "update":
            return _is_updated(attempt, provider_state, over=over)
        case "cancel":
            return provider_state.status == "canceled"
        case "capture":
            return provider_state.captured_cents > 0 or (
                over and provider_state.status == "processing"
            )
        case "refund" if attempt.refund:
            return any(
                reported.refund_id == attempt.refund.id for reported in _reported(provider_state)
            )
        case _:  # a confirm without single capture: no such provider is built
            raise NotImplementedError(attempt.operation)


def _is_updated(attempt: ActiveAttempt, provider_state: ProviderPayment, *, over: bool) -> bool:
    """Whether the provider has every value of an update (rule 18).

    A value that was there before proves nothing until the lease is over. A method is there if the
    object has that one, or another one than before: an alias such as pm_card_visa gets a new id.
    """
    there = {
        name: getattr(provider_state, name) for name in READ_BACK if name in attempt.pending_changes
    }
    has_all = all(there[name] == attempt.pending_changes[name] for name in there)
    is_changed = any(there[name] != attempt.before.get(name) for name in there)
    if attempt.method:
        before, now = attempt.before.get("method"), provider_state.method
        has_all = has_all and now is not None and (now == attempt.method or now != before)
        is_changed = is_changed or now != before
    return has_all and (over or is_changed)


def _with_outcome(merged: Payment, attempt: ActiveAttempt, outcome: AttemptOutcome) -> Payment:
    """The row without its active attempt, which is the release of the lock, and what it left."""
    changes: dict[str, object] = {"active_attempt": None}
    if outcome.kind == "done":
        pending = attempt.pending_changes
        if pending.get("total_cents") != merged.total_cents:
            # Somebody set another amount at the provider: that one is the amount (rule 10).
            pending = {k: v for k, v in pending.items() if not k.endswith("_cents")}
        changes |= {name: value for name, value in pending.items() if name not in READ_BACK}
    elif outcome.next_attempt:
        changes |= {"active_attempt": outcome.next_attempt, "attempts": outcome.next_attempt.number}
    elif attempt.operation == "create":
        changes |= {"status": "failed", "failure": outcome.failure, "is_open": False}
    elif outcome.failure == NOT_SENT and attempt.operation == "confirm":
        status = merged.status  # never `failed` over a state in which the payer still acts
        changes |= {"failure": NOT_SENT} if status in ("created", "failed") else {}
        changes |= {"status": "failed"} if status == "created" else {}
    return replace(merged, **changes)
