"""The daily comparison with the providers: finds changes that no event has told us about.

Source: docs/payment-correctness.md, section 8 and rule 8.
"""

from contextlib import suppress
from datetime import timedelta

from msgspec.structs import replace

from bridge import clock
from bridge.core.payment_state import state_machine
from bridge.core.rules import scheduling, telemetry
from bridge.models.model import Model
from bridge.models.payment import Payment
from bridge.models.provider import Dispute, ProviderChange, ProviderPayment, ProviderRefund
from bridge.models.run_context import RunContext
from bridge.providers import registry
from bridge.store import dynamodb
from bridge.store.payments import payment_items, payment_writes

SINCE = timedelta(days=3)  # so each change is compared on three days, should a run fail
SPARE_S = 15


class Reconciled(Model, frozen=True, kw_only=True):
    """What a run did.

    `listed`: the payments, refunds and disputes in the providers' lists. `differing`: payments of
    ours that became due. `is_whole`: the run had time for all of them.
    """

    listed: int
    differing: int
    is_whole: bool


def reconcile(run: RunContext) -> Reconciled:
    """Make every payment due whose row differs from the provider's lists.

    The sweep then checks it, and tries again until it succeeds. Raises NotExecuted or
    UnknownOutcome if a provider cannot be asked.
    """
    since, listed, differing = clock.now() - SINCE, 0, 0
    for provider_id in registry.OPEN:
        provider = registry.open_provider(provider_id)
        for page in provider.list_changes(since, ends_at=run.ends_at):
            listed += len(page)
            ids = {change.provider_payment_id for change in page}
            rows = payment_items.list_at_provider(provider_id, ids)
            due = {
                row.id: row
                for change in page
                if (row := rows.get(change.provider_payment_id)) and _differs(row, change)
            }
            differing += len(due)
            for row in due.values():
                _make_due(row)
            if not scheduling.has_time(run, SPARE_S):
                telemetry.log.error("reconciliation ran out of time", listed=listed)
                return Reconciled(listed=listed, differing=differing, is_whole=False)
    return Reconciled(listed=listed, differing=differing, is_whole=True)


def _differs(payment: Payment, change: ProviderChange) -> bool:
    # A payment with an active attempt is left alone: its own status checks find everything.
    if payment.active_attempt:
        return False
    return (
        (change.payment is not None and _has_moved(payment, change.payment))
        or (change.refund is not None and _is_unknown_refund(payment, change.refund))
        or (change.dispute is not None and _is_other_dispute(payment, change.dispute))
    )


def _has_moved(payment: Payment, provider_state: ProviderPayment) -> bool:
    moved = provider_state.status is not None and provider_state.status != payment.status
    if moved and (payment.status, provider_state.status) in state_machine.EXPECTED:
        return False
    ours = (payment.total_cents, payment.captured_cents, payment.charge_id)
    return moved or ours != (
        provider_state.total_cents,
        provider_state.captured_cents,
        provider_state.charge_id,
    )


def _is_unknown_refund(payment: Payment, reported: ProviderRefund) -> bool:
    known = payment_items.refunds(payment.id)
    return (reported.provider_refund_id, reported.status) not in [
        (each.provider_refund_id, each.status) for each in known
    ]


def _is_other_dispute(payment: Payment, reported: Dispute) -> bool:
    return payment.dispute != reported


def _make_due(payment: Payment) -> None:
    log = telemetry.log
    log.warning("differs from its provider", payment_id=payment.id, provider=payment.provider_id)
    # After a conflict somebody else is writing this payment; the next run compares it again.
    with suppress(dynamodb.VersionConflict):
        payment_writes.advance(payment, replace(payment, due_at=clock.seconds()))
