"""What must hold after every act of a schedule, and at its end.

Source: docs/payment-correctness.md, sections 3, 8 and 10. Rules are cited by their number.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from typing import cast

from bridge import clock
from bridge.core.operations import payment_operator
from bridge.core.workers import reconciliation
from bridge.errors import Conflict, PaymentDeclined
from bridge.models.idempotency import IdempotencyRecord
from bridge.models.page import Page
from bridge.models.payment import Entry, Payment
from bridge.models.run_context import RunContext
from bridge.store.customers import customer_items
from bridge.store.dedupe import idempotency_items
from bridge.store.payments import payment_items
from bridge.store.wallet import method_items
from local.stripe.log import Exchange
from local.stripe.resources.json import Json
from local.stripe.simulator import StripeSimulator
from tests.proof.play import ACTS, LATE, SWEEP_S, Play, StoredResult, after
from tests.proof.schedules import PlannedAct, Schedule

OUR_STATUSES = {
    "requires_payment_method": ("created", "failed"),
    "requires_confirmation": ("created", "failed"),
    "requires_action": ("requires_action",),
    "requires_capture": ("requires_capture",),
    "succeeded": ("succeeded",),
    "canceled": ("canceled",),
}
MONEY = ("confirm", "capture", "refund")  # never sent again after an unknown outcome
CHANGES = (*MONEY, "update_payment", "cancel")
HORIZON_S = 60
LEASES_S = (130, 70)  # after both, every lease of the schedule has ended
LONG_S = 8 * 24 * 3600  # longer than keys are stored, and than ABANDON_DAYS


def prove(schedule: Schedule, stripe: StripeSimulator) -> Play:
    """Play a schedule, let it come to rest, and check everything."""
    play = Play(schedule, stripe, check_after_act)
    try:
        play.run()
        come_to_rest(play)
    finally:
        clock.set_offset(0)
    return play


def check_after_act(play: Play) -> None:
    """No row offers more than there is, and no checked state is overwritten (rules 5 and 6)."""
    for known in play.ids.values():
        row = payment_items.get(known)
        if row is None:
            play.wrong.append(f"{known} is not stored")
            continue
        play.wrong += [f"{each} ({known})" for each in _promises(row)]
        if play.checked_versions.get(known) == play.version():
            play.wrong += [f"overwritten: {each}" for each in disagreements(row, play)]


def _promises(row: Payment) -> Iterator[str]:
    asked = (
        row.active_attempt.refund.amount_cents
        if row.active_attempt and row.active_attempt.refund
        else 0
    )
    left = row.captured_cents - row.refunded_cents - asked
    if row.refundable_cents != max(0, left):
        yield f"{row.refundable_cents} is offered for refund, {left} is left"
    if row.refunded_cents > row.captured_cents:
        yield f"{row.refunded_cents} of {row.captured_cents} is refunded"


def disagreements(row: Payment, play: Play) -> Iterator[str]:
    """The differences between our row and the provider's object."""
    intent = _intents(play).get(str(row.provider_payment_id))
    if intent is None:
        if row.provider_payment_id:
            yield f"{row.id} refers to an object that the provider does not have"
        return
    status = str(intent["status"])
    if row.status not in OUR_STATUSES[status]:
        yield f"{row.id} is {row.status}, at the provider {status}"
    if row.captured_cents != intent["amount_received"]:
        yield f"{row.id}: captured {row.captured_cents}, there {intent['amount_received']}"
    if row.total_cents != intent["amount"]:
        yield f"{row.id}: total {row.total_cents}, there {intent['amount']}"
    given = sum(int(str(each["amount"])) for each in _refunds(play, row) if _is_given(each))
    if row.refunded_cents != given:
        yield f"{row.id}: refunded {row.refunded_cents}, there {given}"


def _intents(play: Play) -> dict[str, Json]:
    return {str(each["id"]): each for each in play.stripe.intents()}


def _refunds(play: Play, row: Payment) -> list[Json]:
    return [e for e in play.stripe.refunds() if e["payment_intent"] == row.provider_payment_id]


def _is_given(refund: Json) -> bool:
    return refund["status"] not in ("failed", "canceled")


def come_to_rest(play: Play) -> None:
    """Let all leases end, with sweeps; then let days pass.

    The reconciliation runs where money may have moved at the provider alone.
    """
    for seconds in LEASES_S:
        play.wait(seconds)
        ACTS["sweep"](play, PlannedAct("sweep"))
    if _moved_at_rest(play):
        reconciliation.reconcile(RunContext(cause="reconciliation", ends_at=after(SWEEP_S)))
        play.wait(30)
        ACTS["sweep"](play, PlannedAct("sweep"))
    rows = play.listed()
    play.wrong += [
        each for row in rows if row.provider_payment_id for each in _with_outcome(play, row)
    ]
    for stored in list(play.stored_results.values()):
        play.wrong += _check_replay(play, stored)
    for _ in range(2):  # a payment may be abandoned days after the check that found it
        play.wait(LONG_S)
        ACTS["sweep"](play, PlannedAct("sweep"))
        rows = play.listed()
        if not any(map(_is_left, rows)):
            break
    for row in rows:
        play.wrong += _at_rest(play, row)
    play.wrong += _of_all(play, rows)


def _moved_at_rest(play: Play) -> bool:
    """Whether money may have moved at the provider, for a payment that is not due."""
    text = str(play.schedule)
    return any(word in text for word in ("dashboard_", "refundFail", "createDispute"))


def _with_outcome(play: Play, row: Payment) -> Iterator[str]:
    """After the leases no lock is left, and no idempotency record is open."""
    if row.active_attempt:
        yield f"{row.id} is locked by {row.active_attempt.operation} {row.active_attempt.number}"
        return
    for planned in _keyed(play.schedule.acts):
        record = _record(play, planned, row.id)
        if record and record.subject_id == row.id and record.state == "open":
            yield f"{row.id}: the key {planned.key} of {planned.kind} is open, and no lock is left"


def _record(play: Play, planned: PlannedAct, payment_id: str) -> IdempotencyRecord | None:
    if planned.kind == "create":
        place = idempotency_items.of_creation(planned.key, user_id=play.user.user_id, email=None)
    else:
        place = idempotency_items.of_payment(payment_id, planned.key)
    return idempotency_items.get(place, clock.seconds())


def _keyed(acts: tuple[PlannedAct, ...]) -> Iterator[PlannedAct]:
    for planned in acts:
        if planned.key:
            yield planned
        yield from _keyed(planned.meanwhile)


def _check_replay(play: Play, stored: StoredResult) -> Iterator[str]:
    """A stored response is given again for its key, and the provider is not called."""
    record = _record(play, stored.planned, stored.payment_id)
    if record is None or record.state != "done":
        return
    before = _sent(play)
    with suppress(PaymentDeclined):
        try:
            ACTS[stored.planned.kind](play, stored.planned)
        except Conflict as error:
            yield f"{stored.planned}: answered before, now {error.code}"
    if _sent(play) != before:
        yield f"{stored.planned}: answered before, now sent again"


def _sent(play: Play) -> int:
    return sum(each.operation in CHANGES for each in play.stripe.requests)


def _is_left(row: Payment) -> bool:
    """Whether it is neither paid nor canceled."""
    return row.is_open and row.status in ("created", "failed")


def _at_rest(play: Play, row: Payment) -> Iterator[str]:
    yield from disagreements(row, play)
    yield from _promises(row)
    found = payment_operator.inspect_payment(row.id)
    if not found.timeline_is_whole:
        yield f"{row.id}: the timeline is broken"
    if found.is_locked or found.overdue_seconds:
        yield f"{row.id}: locked {found.is_locked}, overdue {found.overdue_seconds} s"
    if _is_left(row):
        yield f"{row.id} is {row.status}, and nobody has canceled it"
    charges = [e for e in play.stripe.charges() if e["payment_intent"] == row.provider_payment_id]
    if len(charges) > 1:
        yield f"{row.id} was charged {len(charges)} times"
    there = {
        str(each["id"]): (each["amount"], "failed" if not _is_given(each) else each["status"])
        for each in _refunds(play, row)
    }
    ours = payment_items.refunds(row.id)
    here = {
        str(each.provider_refund_id): (each.amount_cents, each.status)
        for each in ours
        if each.provider_refund_id
    }
    if {name: it for name, it in there.items() if name in here or it[1] != "failed"} != here:
        yield f"{row.id}: refunds here {here}, there {there}"
    if any(not each.provider_refund_id and each.status != "failed" for each in ours):
        yield f"{row.id}: a refund that nobody made is {[each.status for each in ours]}"
    if len(ours) - sum(not each.provider_refund_id for each in ours) != len(here):
        yield f"{row.id}: a refund has two rows"
    if row.refunds_pending != sum(each.status == "pending" for each in ours):
        yield f"{row.id}: {row.refunds_pending} refunds count as pending"
    yield from _attempts(play, row, found.timeline)


def _attempts(play: Play, row: Payment, timeline: list[Entry]) -> Iterator[str]:
    """Every call at the provider belongs to one attempt, and every attempt ended exactly once.

    Source: docs/payment-correctness.md, section 3: rules 2, 3, 4 and 12.
    """
    sent: dict[int, list[Exchange]] = defaultdict(list)
    for each in play.stripe.requests:
        made, _, attempt = str(each.headers.get("Idempotency-Key", "")).partition(".")
        if made == row.uid and LATE not in each.headers:
            sent[int(attempt)].append(each)
    ends = {entry.attempt: entry for entry in timeline if entry.attempt is not None}
    if len(ends) != sum(entry.attempt is not None for entry in timeline):
        yield f"{row.id}: an attempt ended twice"
    if set(ends) != set(range(1, row.attempts + 1)):
        yield f"{row.id}: {row.attempts} attempts, of which ended {sorted(ends)}"
    for number, calls in sorted(sent.items()):
        if len({(each.operation, each.path, each.body) for each in calls}) > 1:
            yield f"{row.id}: attempt {number} was two requests"
        if number not in ends:
            yield f"{row.id}: attempt {number} never ended"
            continue
        yield from _outcome_of(row, number, calls, ends[number])
        before = ends.get(number - 1)
        if before and int(calls[0].at) < int(before.at.timestamp()):
            yield f"{row.id}: attempt {number} was sent while {number - 1} was under way"


def _outcome_of(row: Payment, number: int, calls: list[Exchange], end: Entry) -> Iterator[str]:
    operation, last = calls[-1].operation, calls[-1]
    if operation == "create_payment":
        return  # its status check is the same call again
    if len(calls) > 2:
        yield f"{row.id}: attempt {number}, {operation}, was sent {len(calls)} times"
    unknown = [each for each in calls if each.status is None or each.status >= 500]
    if operation in MONEY and unknown and unknown[0] is not last:
        yield f"{row.id}: {operation} {number} was sent again with its outcome unknown"
    if end.outcome == "refused" and unknown and last in unknown:
        yield f"{row.id}: {operation} {number} is refused, and may have been done"
    if end.outcome == "not_sent" and end.at.timestamp() <= int(last.at) + HORIZON_S:
        yield f"{row.id}: {operation} {number} was given up while it could land"


def _payment_of(intent: Json) -> str:
    return cast("dict[str, str]", intent["metadata"]).get("payment_id", "")


def _of_all(play: Play, rows: list[Payment]) -> Iterator[str]:
    """Every charge belongs to a row, and no refund was made twice."""
    known = {row.provider_payment_id for row in rows}
    ids = {row.id for row in rows}
    for charge in play.stripe.charges():
        if charge["payment_intent"] not in known:
            yield f"{charge['payment_intent']} is paid, and no row knows it"
    made = [_payment_of(each) for each in play.stripe.intents()]
    yield from (f"an object was made for {e}, which is not stored" for e in made if e not in ids)
    yield from (f"{it} has {n} objects" for it, n in Counter(made).items() if n > 1)
    amounts = Counter((e["payment_intent"], e["amount"]) for e in play.stripe.refunds())
    for (intent_id, amount), times in amounts.items():
        if times > 1:
            yield f"{amount} of {intent_id} went back {times} times"
    yield from _saved(play, rows)
    creations = {
        planned.payment for planned in _keyed(play.schedule.acts) if planned.kind == "create"
    }
    if sum(row.provider_payment_id is not None for row in rows) > len(creations):
        yield f"{len(rows)} payments for {len(creations)} creations"


def _saved(play: Play, rows: list[Payment]) -> Iterator[str]:
    """The same methods are saved on both sides, each once, with one default."""
    kept: set[str] = {each.id for each in play.stripe.world.methods.values() if each.customer}
    customers = {row.customer_id for row in rows if row.customer_id}
    saving = [it for it in map(customer_items.get, sorted(customers)) if it]
    methods = [it for each in saving for it in method_items.list_of_customer(each, Page(limit=100))]
    ours = Counter(str(each.token) for each in methods)
    yield from (f"{token} is saved {times} times" for token, times in ours.items() if times > 1)
    if set(ours) != kept:
        yield f"saved here {sorted(ours)}, there {sorted(kept)}"
    if methods and sum(each.is_default for each in methods) != 1:
        yield f"{len(methods)} methods are saved, and not one of them is the default"
