"""Broken status checks: events, the event log, the reconciliation, and what is due.

Source: docs/payment-correctness.md, rules 7, 8, 14, 15 and 16, sections 7 and 8.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
import stripe
from msgspec.structs import replace

from bridge import clock
from bridge.core.payment_state import (
    check_schedule,
    commit,
    event_checks,
    state_machine,
    synchronize,
)
from bridge.core.rules import crash_points
from bridge.core.workers import event_log, provider_lists, queue_messages, reconciliation, sweep
from bridge.models.event_counter import EventCounter
from bridge.models.payment import AttemptOutcome, Payment
from bridge.models.provider import Status
from bridge.models.queue_message import MethodEventReference, WebhookEventReference
from bridge.models.run_context import RunContext
from bridge.providers import stripe_events, stripe_objects
from bridge.providers.stripe import Stripe
from bridge.store import dynamodb
from bridge.store.dedupe import webhook_items
from bridge.store.jobs import due_items
from bridge.store.payments import event_counter_items


def payload_believed(patch: pytest.MonkeyPatch) -> None:
    """The state in a webhook is believed (rule 7)."""
    read, fetch = Stripe.read_event, synchronize._fetch_state
    believed: dict[str, Any] = {}

    def read_event(
        self: Stripe, headers: Any, raw: bytes
    ) -> WebhookEventReference | MethodEventReference | None:
        reference, event = read(self, headers, raw), json.loads(raw)
        if reference and event["data"]["object"]["object"] == "payment_intent":
            believed[reference.event_id] = event["data"]["object"]
        return reference

    def believe(payment: Payment, run: RunContext, own_outcome: AttemptOutcome | None) -> Any:
        if run.event and run.event.event_id in believed:
            intent = stripe.PaymentIntent.construct_from(believed[run.event.event_id], "sk_test")
            return stripe_objects.read_payment(intent), own_outcome
        return fetch(payment, run, own_outcome)

    patch.setattr(Stripe, "read_event", read_event)
    patch.setattr(synchronize, "_fetch_state", believe)


def signature_ignored(patch: pytest.MonkeyPatch) -> None:
    """A webhook is believed to be Stripe's, whatever its signature is (rule 7)."""
    patch.setattr(stripe_events, "_verify", lambda *_: None)


def no_sweep(patch: pytest.MonkeyPatch) -> None:
    """Nobody checks what is due (rule 8)."""
    patch.setattr(due_items, "list_due", lambda *_: iter(()))


def failed_is_an_end(patch: pytest.MonkeyPatch) -> None:
    """A failed payment is not due, though its object is open (rule 8)."""
    real = state_machine.can_move
    patch.setattr(state_machine, "can_move", lambda status, **_: real(status, is_open=False))


def processing_not_due(patch: pytest.MonkeyPatch) -> None:
    """A payment that the bank still works on is not due (rule 8)."""
    real = state_machine.can_move

    def can_move(status: Status, *, is_open: bool) -> bool:
        return status != "processing" and real(status, is_open=is_open)

    patch.setattr(state_machine, "can_move", can_move)


def _due(patch: pytest.MonkeyPatch, seen: Callable[[Payment], Payment]) -> None:
    """When a payment is due is computed as if it were another one."""
    real = check_schedule.next_check
    patch.setattr(check_schedule, "next_check", lambda payment, now: real(seen(payment), now))


def contradiction_at_rest(patch: pytest.MonkeyPatch) -> None:
    """A payment that the provider contradicts is not due (rules 8 and 13)."""
    _due(patch, lambda payment: replace(payment, is_contradicted=False))


def dispute_not_watched(patch: pytest.MonkeyPatch) -> None:
    """A payment at rest with an open dispute is not due (rule 16)."""
    _due(patch, lambda payment: replace(payment, dispute=None))


def refunds_not_watched(patch: pytest.MonkeyPatch) -> None:
    """A payment at rest with a young refund is not due (rule 16)."""
    _due(patch, lambda payment: replace(payment, refunded_cents=0))


def never_abandoned(patch: pytest.MonkeyPatch) -> None:
    """A payment that nobody pays is never canceled (section 8)."""
    patch.setattr(sweep, "_is_abandoned", lambda *_: False)


def seen_before_counted(patch: pytest.MonkeyPatch) -> None:
    """An event is remembered in `W#` before it is counted (rule 14)."""
    real = queue_messages._is_counted

    def is_counted(payment_id: str, reference: WebhookEventReference, run: RunContext) -> bool:
        webhook_items.put_seen(reference, clock.seconds())
        crash_points.reach("event_received", payment_id)
        return real(payment_id, reference, run)

    patch.setattr(queue_messages, "_is_counted", is_counted)


def counter_not_due(patch: pytest.MonkeyPatch) -> None:
    """An event is counted, and its counter is not due (rule 14)."""

    def count(payment_id: str, _: int) -> EventCounter:
        return event_counter_items._update(payment_id, "ADD #received :one", {}, {"one": 1})

    patch.setattr(event_counter_items, "count", count)


def covered_unguarded(patch: pytest.MonkeyPatch) -> None:
    """`covered` is written without the condition on `received` (rule 14)."""

    def cover(seen: EventCounter) -> bool:
        expression = "SET #covered = :received REMOVE #due_pk, #due_at, #failing_since"
        values = {"received": seen.received}
        event_counter_items._update(seen.payment_id, expression, {}, values)
        return True

    patch.setattr(event_counter_items, "cover", cover)


def newest_covered(patch: pytest.MonkeyPatch) -> None:
    """A check covers the events that were counted after it had asked (rule 14)."""
    real = event_counter_items.cover

    def cover(seen: EventCounter) -> bool:
        return real(event_counter_items.get(seen.payment_id) or seen)

    patch.setattr(event_counter_items, "cover", cover)


def failed_check_covers(patch: pytest.MonkeyPatch) -> None:
    """A check that failed covers the events (rule 14)."""
    real = event_checks._is_synchronized
    patch.setattr(event_checks, "_is_synchronized", lambda *given: real(*given) or True)


def own_call_covers(patch: pytest.MonkeyPatch) -> None:
    """Our own call clears the counter when it has written its outcome (rule 14)."""
    real = commit.write

    def write(payment: Payment, state: Any, own_outcome: Any, run: RunContext) -> Payment:
        written = real(payment, state, own_outcome, run)
        if own_outcome and (counter := event_counter_items.get(payment.id)):
            event_counter_items.cover(counter)
        return written

    patch.setattr(commit, "write", write)


def conflict_covers(patch: pytest.MonkeyPatch) -> None:
    """A check that met a version conflict leaves it to the other writer, and covers (rule 14)."""
    real = commit.write

    def write(payment: Payment, state: Any, own_outcome: Any, run: RunContext) -> Payment:
        try:
            return real(payment, state, own_outcome, run)
        except dynamodb.VersionConflict:
            if own_outcome or run.cause == "api":
                raise
            return synchronize._read_again(payment, run)

    patch.setattr(commit, "write", write)


def log_not_read(patch: pytest.MonkeyPatch) -> None:
    """The provider's event log is taken to be empty (rule 15)."""
    patch.setattr(Stripe, "list_events", lambda *_, **__: iter(()))


def log_has_gaps(patch: pytest.MonkeyPatch) -> None:
    """A window of the event log begins where the last run began, not where it ended (rule 15)."""
    patch.setattr(event_log, "OVERLAP", -event_log.ON_THE_WAY)


def position_moved_first(patch: pytest.MonkeyPatch) -> None:
    """The position in a provider's list is stored before its pages are handled (rule 15)."""
    real: Any = provider_lists.read

    def read(*given: Any) -> bool:
        *rest, handle, run = given
        pages: list[Any] = []
        is_whole = real(*rest, pages.append, run)
        for page in pages:
            handle(page)
        return is_whole

    patch.setattr(provider_lists, "read", read)


def nothing_compared(patch: pytest.MonkeyPatch) -> None:
    """The daily reconciliation finds no difference (section 8)."""
    patch.setattr(reconciliation, "_differs", lambda *_: False)


def dispute_not_compared(patch: pytest.MonkeyPatch) -> None:
    """The daily reconciliation does not compare disputes (section 8)."""
    patch.setattr(reconciliation, "_is_other_dispute", lambda *_: False)


MUTATIONS = (
    payload_believed,
    signature_ignored,
    no_sweep,
    failed_is_an_end,
    processing_not_due,
    contradiction_at_rest,
    dispute_not_watched,
    refunds_not_watched,
    never_abandoned,
    seen_before_counted,
    counter_not_due,
    covered_unguarded,
    newest_covered,
    failed_check_covers,
    own_call_covers,
    conflict_covers,
    log_not_read,
    log_has_gaps,
    position_moved_first,
    nothing_compared,
    dispute_not_compared,
)
