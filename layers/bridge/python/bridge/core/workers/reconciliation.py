"""The daily comparison with the providers: finds changes that no event has told us about.

Source: docs/payment-correctness.md, section 8 and rule 8.
"""

from datetime import timedelta
from functools import partial

from msgspec import Struct, field
from msgspec.structs import replace

from bridge import clock
from bridge.core.payment_state import creations, state_machine
from bridge.core.rules import telemetry
from bridge.core.workers import provider_lists
from bridge.models import identifier
from bridge.models.model import Model
from bridge.models.payment import Payment
from bridge.models.provider import (
    Dispute,
    ProviderChange,
    ProviderId,
    ProviderPayment,
    ProviderRefund,
)
from bridge.models.provider_walk import ChangePage, ProviderWalk
from bridge.models.run_context import RunContext
from bridge.providers import registry
from bridge.store.payments import event_counter_items, payment_items

SINCE = timedelta(days=3)  # so each change is compared on three days
OVERLAP = timedelta(hours=1)  # of two windows that are further apart
CLOCKS_APART = timedelta(minutes=1)  # at most: the provider's and ours


class Reconciled(Model, frozen=True, kw_only=True):
    """What a run did.

    `listed`: the payments, refunds and disputes in the providers' lists. `differing`: payments of
    ours that are to be checked now. `is_whole`: the run had time for all of them.
    """

    listed: int
    differing: int
    is_whole: bool


class _Progress(Struct):
    """How many changes were listed so far, and the ids of the payments that differ."""

    listed: int = 0
    differing: set[str] = field(default_factory=set)


def reconcile(run: RunContext) -> Reconciled:
    """Have every payment checked whose row differs from the provider's lists.

    An object that has our payment's id, while our payment has another object, is canceled. Raises
    NotExecuted or UnknownOutcome if a provider cannot be asked.
    """
    done = _Progress()
    is_whole = all(_compare_lists(provider_id, done, run) for provider_id in registry.OPEN)
    if not is_whole:
        telemetry.log.error("reconciliation ran out of time", listed=done.listed)
    return Reconciled(listed=done.listed, differing=len(done.differing), is_whole=is_whole)


def _compare_lists(provider_id: ProviderId, done: _Progress, run: RunContext) -> bool:
    verb = registry.open_provider(provider_id).list_changes
    handle = partial(_compare, provider_id, done, run)
    return provider_lists.read(provider_id, "changes", verb, _begin, handle, run)


def _begin(finished: ProviderWalk) -> ProviderWalk:
    """The present window: three days, or more if the last one is longer ago.

    It ends a little later than now, because the provider's clock may be ahead of ours.
    """
    now = clock.now()
    since = min(finished.until - OVERLAP, now - SINCE)
    return replace(finished, since=since, until=now + CLOCKS_APART)


def _compare(provider_id: ProviderId, done: _Progress, run: RunContext, page: ChangePage) -> None:
    ids = {change.provider_payment_id for change in page.changes}
    rows = payment_items.list_at_provider(provider_id, ids)
    differing = {
        row.id
        for change in page.changes
        if (row := rows.get(change.provider_payment_id)) and _differs(row, change)
    }
    for change in page.changes:
        if change.payment and change.provider_payment_id not in rows:
            differing |= _find_without_pointer(change.payment, run)
    for payment_id in differing - done.differing:
        telemetry.log.warning(
            "differs from its provider", payment_id=payment_id, provider=provider_id
        )
        event_counter_items.count(payment_id, clock.seconds())
    done.listed += len(page.changes)
    done.differing |= differing


def _find_without_pointer(listed: ProviderPayment, run: RunContext) -> set[str]:
    """Our payment, if the object has its id and was made by a creation without an answer.

    If the payment has another object, this one is a duplicate and is canceled (rule 17).
    """
    is_ours = listed.payment_id and identifier.is_well_formed(listed.payment_id)
    payment = payment_items.get(listed.payment_id) if listed.payment_id and is_ours else None
    if payment is None:
        return set()
    if payment.provider_payment_id is None:
        return {payment.id} if payment.active_attempt else set()
    if payment.provider_payment_id != listed.provider_payment_id:
        creations.cancel_duplicate(payment, listed.provider_payment_id, run)
    return set()


def _differs(payment: Payment, change: ProviderChange) -> bool:
    return (
        (change.payment is not None and _has_moved(payment, change.payment))
        or (change.refund is not None and _is_unknown_refund(payment, change.refund))
        or change.refunded_cents not in (None, payment.refunded_cents)
        or (change.dispute is not None and _is_other_dispute(payment, change.dispute))
    )


def _has_moved(payment: Payment, provider_state: ProviderPayment) -> bool:
    moved = provider_state.status is not None and provider_state.status != payment.status
    if moved and (payment.status, provider_state.status) in state_machine.EXPECTED:
        return False
    listed = (
        provider_state.total_cents,
        provider_state.currency,
        provider_state.captured_cents,
        provider_state.charge_id or payment.charge_id,
    )
    ours = (payment.total_cents, payment.currency, payment.captured_cents, payment.charge_id)
    refunded = provider_state.refunded_cents
    return moved or ours != listed or refunded not in (None, payment.refunded_cents)


def _is_unknown_refund(payment: Payment, reported: ProviderRefund) -> bool:
    """Whether our rows do not show it so. One that failed, and that no row has, moved no money."""
    ours = [
        (each.provider_refund_id, each.status)
        for each in payment_items.refunds(payment.id)
        if reported.provider_refund_id == each.provider_refund_id or reported.refund_id == each.id
    ]
    if not ours:
        return reported.status != "failed"
    return (reported.provider_refund_id, reported.status) not in ours


def _is_other_dispute(payment: Payment, reported: Dispute) -> bool:
    return payment.dispute != reported
