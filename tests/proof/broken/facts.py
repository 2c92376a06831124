"""Broken merges: what an answer of the provider says of our row, and what the timeline says of it.

Source: docs/payment-correctness.md, rules 10, 13 and 18, sections 2, 4 and 5.
"""

from typing import Any

import pytest
from msgspec.structs import replace

from bridge.core.payment_state import merge, save_method, state_machine, timeline
from bridge.core.rules import crash_points
from bridge.core.workers import event_delivery
from bridge.models.payment import ActiveAttempt, AttemptOutcome, Payment
from bridge.models.provider import ProviderPayment, ProviderRefund
from bridge.models.refund import Refund
from bridge.store.dynamodb import Actions
from bridge.store.payments import outbox_items


def _fact(patch: pytest.MonkeyPatch, ours: str, its: str) -> None:
    """A fact of our row is always what the answer says, or does not say."""
    real = merge._facts

    def facts(payment: Payment, provider_state: ProviderPayment) -> dict[str, object]:
        return real(payment, provider_state) | {ours: getattr(provider_state, its)}

    patch.setattr(merge, "_facts", facts)


def dispute_erased(patch: pytest.MonkeyPatch) -> None:
    """An answer without a dispute removes the one that we know (rule 13)."""
    _fact(patch, "dispute", "dispute")


def captured_less(patch: pytest.MonkeyPatch) -> None:
    """An older answer takes back captured money (rule 13)."""
    _fact(patch, "captured_cents", "captured_cents")


def total_ours(patch: pytest.MonkeyPatch) -> None:
    """The total is ours, not the provider's (rule 10)."""
    real = merge._facts

    def facts(payment: Payment, provider_state: ProviderPayment) -> dict[str, object]:
        found = real(payment, provider_state)
        return {name: it for name, it in found.items() if name not in AMOUNTS}

    patch.setattr(merge, "_facts", facts)


AMOUNTS = ("total_cents", "subtotal_cents", "tax_cents", "discount_cents")


def list_overrides_sum(patch: pytest.MonkeyPatch) -> None:
    """The list of refunds counts, also if the charge has given back more (rule 13)."""
    real = merge._refunded

    def refunded(payment: Payment, provider_state: ProviderPayment, rows: Any) -> tuple[int, bool]:
        if provider_state.refunds is None:
            return real(payment, provider_state, rows)
        return merge._sum(rows), True

    patch.setattr(merge, "_refunded", refunded)


def contradiction_cleared(patch: pytest.MonkeyPatch) -> None:
    """The answer to our own call ends a contradiction, though it tells less (rule 13)."""
    real = merge._with_state

    def with_state(payment: Payment, *given: Any) -> Payment:
        return real(replace(payment, is_contradicted=False), *given)

    patch.setattr(merge, "_with_state", with_state)


def refund_goes_back(patch: pytest.MonkeyPatch) -> None:
    """An older list takes a refund back to `pending` (section 5)."""
    real = merge._row_of

    def row_of(rows: Any, reported: ProviderRefund) -> Refund | None:
        row = real(rows, reported)
        return replace(row, status="pending") if row else None

    patch.setattr(merge, "_row_of", row_of)


def refund_never_fails(patch: pytest.MonkeyPatch) -> None:
    """A refund that the bank refuses after days stays `succeeded` (section 5)."""
    patch.setattr(merge, "REFUND_ORDER", ("failed", "pending", "succeeded"))


def failed_refunds_count(patch: pytest.MonkeyPatch) -> None:
    """A refund that failed counts as given back (section 5)."""

    def all_of(rows: Any) -> int:
        return sum(each.amount_cents for each in rows if each.provider_refund_id)

    patch.setattr(merge, "_sum", all_of)


def refund_in_two_rows(patch: pytest.MonkeyPatch) -> None:
    """The provider's refund is not matched by our refund id, and gets a second row (section 5)."""

    def row_of(rows: Any, reported: ProviderRefund) -> Refund | None:
        there = reported.provider_refund_id
        return next((each for each in rows if each.provider_refund_id == there), None)

    patch.setattr(merge, "_row_of", row_of)


def refused_refund_pending(patch: pytest.MonkeyPatch) -> None:
    """A refund that was refused or not sent stays `pending` (section 5)."""
    real = merge.changed_refunds

    def changed(
        payment: Payment, rows: Any, state: Any, outcome: AttemptOutcome | None, at: Any
    ) -> list[Refund]:
        is_done = outcome and outcome.kind == "done"
        return real(payment, rows, state, outcome if is_done else None, at)

    patch.setattr(merge, "changed_refunds", changed)


def refund_not_reserved(patch: pytest.MonkeyPatch) -> None:
    """The lock of a refund does not reserve its amount (section 4)."""
    patch.setattr(merge, "refundable", lambda it: max(0, it.captured_cents - it.refunded_cents))


def refundable_of_total(patch: pytest.MonkeyPatch) -> None:
    """What was authorized can be refunded, not what was captured (section 5)."""
    real = merge.refundable
    patch.setattr(merge, "refundable", lambda it: real(replace(it, captured_cents=it.total_cents)))


def any_transition(patch: pytest.MonkeyPatch) -> None:
    """Every transition is made, also back to an older state (section 2)."""
    patch.setattr(state_machine, "may_move", lambda *_: True)


def update_not_compared(patch: pytest.MonkeyPatch) -> None:
    """An update counts as done although the provider does not have it yet (rule 18)."""
    patch.setattr(merge, "_is_updated", lambda *_, **__: True)


def usage_not_compared(patch: pytest.MonkeyPatch) -> None:
    """Of an update only the amounts are compared (rule 18)."""
    patch.setattr(merge, "READ_BACK", ("total_cents", "currency"))


def update_written_though_not_sent(patch: pytest.MonkeyPatch) -> None:
    """The row gets the amounts of an update that never arrived (rule 18)."""
    real = merge._with_outcome

    def with_outcome(merged: Payment, attempt: ActiveAttempt, outcome: AttemptOutcome) -> Payment:
        after = real(merged, attempt, outcome)
        if attempt.operation == "update" and outcome.kind == "not_sent":
            return replace(after, **attempt.pending_changes)
        return after

    patch.setattr(merge, "_with_outcome", with_outcome)


def paid_in_browser_not_saved(patch: pytest.MonkeyPatch) -> None:
    """A method is saved only if it paid by our own confirm (section 4, action 8)."""
    real = save_method.writes

    def writes(before: Payment, after: Payment, provider_state: ProviderPayment | None) -> Actions:
        attempt = before.active_attempt
        if attempt is None or attempt.operation != "confirm":
            return {}
        return real(before, after, provider_state)

    patch.setattr(save_method, "writes", writes)


def hash_not_chained(patch: pytest.MonkeyPatch) -> None:
    """The entries of one write do not have the hash of the one before (section 4)."""
    real = timeline.write_entries
    patch.setattr(
        timeline,
        "write_entries",
        lambda before, *given: real(replace(before, last_hash=""), *given),
    )


def status_sent_again(patch: pytest.MonkeyPatch) -> None:
    """Every change of facts sends the displayed status, also if it is the same (section 4)."""
    patch.setattr(timeline, "_event_status", lambda _, after: after.displayed_status)


def dispute_not_sent(patch: pytest.MonkeyPatch) -> None:
    """A dispute has no event of its own (section 4)."""
    patch.setattr(timeline, "_dispute_change", lambda *_: None)


def second_refund_not_sent(patch: pytest.MonkeyPatch) -> None:
    """Of several refunds that changed at once only the first has an event (section 4)."""
    real = timeline.write_entries
    patch.setattr(
        timeline,
        "write_entries",
        lambda before, after, refunds, *given: real(before, after, refunds[:1], *given),
    )


def cursor_moved_first(patch: pytest.MonkeyPatch) -> None:
    """The cursor of the outbox is moved before the bus has taken the events (section 9)."""
    real = event_delivery._send

    def send(backlogs: list[Any], *given: Any, **how: Any) -> bool:
        for each in backlogs:
            moved = replace(each.cursor, sent=each.last, due_at=None)
            each.cursor = outbox_items.move(each.cursor, moved)
            crash_points.reach("delivered", each.cursor.payment_id)
        return real(backlogs, *given, **how)

    patch.setattr(event_delivery, "_send", send)


MUTATIONS = (
    dispute_erased,
    captured_less,
    total_ours,
    list_overrides_sum,
    contradiction_cleared,
    refund_goes_back,
    refund_never_fails,
    failed_refunds_count,
    refund_in_two_rows,
    refused_refund_pending,
    refund_not_reserved,
    refundable_of_total,
    any_transition,
    update_not_compared,
    usage_not_compared,
    update_written_though_not_sent,
    paid_in_browser_not_saved,
    hash_not_chained,
    status_sent_again,
    dispute_not_sent,
    second_refund_not_sent,
    cursor_moved_first,
)
