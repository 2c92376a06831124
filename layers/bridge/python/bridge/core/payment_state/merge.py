"""What our row becomes when its provider's state is known: pure, no clock, no I/O.

Source: design/convergence.md, sections 2 and 5.
"""

from collections.abc import Iterable
from datetime import datetime

from bridge.core.payment_state import state_machine
from bridge.models.payment import Ending, LiveAttempt, Payment
from bridge.models.provider import FINAL, Failure, ProviderPayment, ProviderRefund
from bridge.models.refund import Refund

NOT_SENT = Failure(code="not_sent", message="The provider never received this call.")


def merge(
    payment: Payment,
    shown: ProviderPayment | None,
    now: int,
    mine: Ending | None,
    *,
    single_capture: bool,
) -> tuple[Payment, Ending | None]:
    """What our row becomes, and how its attempt ended, if it did.

    `shown` is the provider's state, None where it holds nothing for us; `mine` how our own attempt
    ended, when we know. Source: section 5.
    """
    ending = _ending(payment, shown, now, mine, single_capture=single_capture)
    merged = payment.model_copy(update=_facts(payment, shown)) if shown else payment
    if ending and payment.live:
        merged = _ended(merged, payment.live, ending, shown)
    if merged.status != "failed":
        merged = merged.model_copy(update={"failure": None})
    if merged.status in FINAL:
        merged = merged.model_copy(update={"client_secret": None, "next_action": None})
    return merged.model_copy(update={"refundable_cents": refundable(merged)}), ending


def refundable(payment: Payment) -> int:
    """What is left to refund, without the refund that is being asked for."""
    asked = payment.live.refund if payment.live else None
    reserved = asked.amount_cents if asked else 0
    return max(0, payment.captured_cents - payment.refunded_cents - reserved)


def merge_refunds(
    payment: Payment,
    known: Iterable[Refund],
    shown: ProviderPayment | None,
    ending: Ending | None,
    at: datetime,
) -> list[Refund]:
    """The refunds that become others, or are new to us: somebody refunded at the provider.

    `known`: ours as they stand, as far as `shown` tells of them.
    """
    rows = {refund.id: refund for refund in known}
    changed = []
    for told in shown.refunds if shown else ():
        row = _row_of(rows.values(), told) or _made_elsewhere(payment, told)
        facts = {"provider_refund_id": told.provider_refund_id, "status": told.status}
        after = row.model_copy(update=facts)
        if after != rows.get(row.id):
            changed.append(after.model_copy(update={"updated_at": at}))
    asked = payment.live.refund if payment.live else None
    if ending and ending.outcome != "done" and asked:
        changed.append(asked.model_copy(update={"status": "failed", "updated_at": at}))
    return changed


def _row_of(rows: Iterable[Refund], told: ProviderRefund) -> Refund | None:
    """Ours by the provider's id, or by our own where no other answer has claimed it."""
    for row in rows:
        if row.provider_refund_id == told.provider_refund_id:
            return row
        if row.id == told.refund_id and row.provider_refund_id is None:
            return row
    return None


def _made_elsewhere(payment: Payment, told: ProviderRefund) -> Refund:
    return Refund(
        id=f"ref_{told.provider_refund_id}",
        payment_id=payment.id,
        amount_cents=told.amount_cents,
        currency=told.currency,
        reason=told.reason,
        created_at=told.created_at,
        updated_at=told.created_at,
    )


def _facts(payment: Payment, shown: ProviderPayment) -> dict[str, object]:
    moved = (
        shown.status
        if shown.status and state_machine.may_move(payment.status, shown.status)
        else None
    )
    status = moved or payment.status
    first = payment.provider_payment_id is None
    facts: dict[str, object] = {
        "status": status,
        "provider_payment_id": shown.provider_payment_id,
        "captured_cents": shown.captured_cents,
        "refunded_cents": shown.refunded_cents,
        "currency": shown.currency,
        "charge_id": shown.charge_id or payment.charge_id,
        "is_open": shown.is_open,
        "dispute": shown.dispute,
        "next_action": shown.next_action,
        "failure": shown.failure or payment.failure,
        "client_secret": shown.client_secret if first else payment.client_secret,
    }
    if shown.total_cents != payment.total_cents:  # rule 10: the provider's amount is the amount
        facts |= {"total_cents": shown.total_cents} | _split(payment, shown.total_cents)
    if status == "succeeded" and not payment.completed_at:
        facts["completed_at"] = shown.charged_at
    return facts


def _split(payment: Payment, total: int) -> dict[str, int]:
    """Parts that add up to a total somebody set elsewhere: tax and discount stay, if they can."""
    subtotal = total - payment.tax_cents + payment.discount_cents
    if subtotal >= 0:
        return {"subtotal_cents": subtotal}
    return {"subtotal_cents": total, "tax_cents": 0, "discount_cents": 0}


def _ending(
    payment: Payment,
    shown: ProviderPayment | None,
    now: int,
    mine: Ending | None,
    *,
    single_capture: bool,
) -> Ending | None:
    live = payment.live
    if live is None:
        return None
    if mine and mine.attempt == live.number:
        return mine
    over = now > live.until
    if shown and _is_shown(payment, live, shown, over=over, single_capture=single_capture):
        return Ending(attempt=live.number, outcome="done")
    if over and live.operation != "create":
        return Ending(attempt=live.number, outcome="not_sent", failure=NOT_SENT)
    return None


def _is_shown(
    payment: Payment,
    live: LiveAttempt,
    shown: ProviderPayment,
    *,
    over: bool,
    single_capture: bool,
) -> bool:
    """Whether a look proves that the attempt took place; rule 12 where that takes the lease."""
    match live.operation:
        case "create":
            return True
        case "confirm" if single_capture:
            if shown.status in ("succeeded", "requires_capture", "canceled"):
                return True
            moved = shown.status not in (live.from_status, "created", None)
            return over and (moved or shown.charge_id != live.seen_charge_id)
        case "update":
            currency = live.wanted.currency or payment.currency
            agrees = (shown.total_cents, shown.currency) == (live.total_cents, currency)
            differed = (live.was_cents, payment.currency) != (live.total_cents, currency)
            return agrees and (over or differed)
        case "cancel":
            return shown.status == "canceled"
        case "capture":
            return shown.captured_cents > 0 or (over and shown.status == "processing")
        case "refund" if live.refund:
            return any(told.refund_id == live.refund.id for told in shown.refunds)
        case _:  # providers without single capture come with their verbs
            raise NotImplementedError(live.operation)


def _ended(
    merged: Payment, live: LiveAttempt, ending: Ending, shown: ProviderPayment | None
) -> Payment:
    changes: dict[str, object] = {"live": None}
    if ending.outcome == "done":
        wanted = live.wanted.model_dump(exclude_none=True)
        if shown and "total_cents" in wanted and wanted["total_cents"] != shown.total_cents:
            wanted = {k: v for k, v in wanted.items() if not k.endswith("_cents")}
        changes |= wanted
    elif live.operation == "create":
        changes |= {"status": "failed", "failure": ending.failure, "is_open": False}
    elif ending.failure == NOT_SENT and live.operation == "confirm":
        found = merged.status  # another state than these two is one that the look found
        changes |= {"failure": NOT_SENT} if found in ("created", "failed") else {}
        changes |= {"status": "failed"} if found == "created" else {}
    return merged.model_copy(update=changes)
