"""What must hold: after every step, and once all is quiet.

Source: design/convergence.md, sections 1, 3 and 8; what a rule forbids is looked for by its number.
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
from tests.proof.play import ACTS, LATE, SWEEP_S, Play, Told, after
from tests.proof.schedules import Schedule, Step

SHOWN_AS = {
    "requires_payment_method": ("created", "failed"),
    "requires_confirmation": ("created", "failed"),
    "requires_action": ("requires_action",),
    "requires_capture": ("requires_capture",),
    "succeeded": ("succeeded",),
    "canceled": ("canceled",),
}
MONEY = ("confirm", "capture", "refund")  # sent once, whatever comes of it
CHANGES = (*MONEY, "update_payment", "cancel")
HORIZON_S = 60
LEASES_S = (130, 70)
LONG_S = 8 * 24 * 3600  # over the day for which keys are kept, and ABANDON_DAYS


def prove(schedule: Schedule, stripe: StripeSimulator) -> Play:
    """Play a schedule, let it come to rest, and look at everything."""
    play = Play(schedule, stripe, after_step)
    try:
        play.run()
        come_to_rest(play)
    finally:
        clock.set_offset(0)
    return play


def after_step(play: Play) -> None:
    """No row promises more than there is, and nothing that was seen is forgotten (rules 5, 6)."""
    for known in play.ids.values():
        row = payment_items.get(known)
        if row is None:
            play.wrong.append(f"{known} is not stored")
            continue
        play.wrong += [f"{each} ({known})" for each in _promises(row)]
        if play.seen.get(known) == play.version():
            play.wrong += [f"forgotten: {each}" for each in disagreements(row, play)]


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
    """Where our row says other than the provider."""
    intent = _intents(play).get(str(row.provider_payment_id))
    if intent is None:
        if row.provider_payment_id:
            yield f"{row.id} names an object that is not there"
        return
    shown = str(intent["status"])
    if row.status not in SHOWN_AS[shown]:
        yield f"{row.id} is {row.status}, at the provider {shown}"
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


# --- once all is quiet ------------------------------------------------------------------------


def come_to_rest(play: Play) -> None:
    """Leases end, the sweep looks, and the reconciliation where money may have moved unseen; then
    days go by."""
    for seconds in LEASES_S:
        play.wait(seconds)
        ACTS["sweep"](play, Step("sweep"))
    if _moved_at_rest(play):
        reconciliation.reconcile(RunContext(cause="reconciliation", ends_at=after(SWEEP_S)))
        play.wait(30)
        ACTS["sweep"](play, Step("sweep"))
    rows = play.listed()
    play.wrong += [
        each for row in rows if row.provider_payment_id for each in _with_outcome(play, row)
    ]
    for told in list(play.stored_results.values()):
        play.wrong += _replays(play, told)
    for _ in range(2):  # what only a late look has found is abandoned days after that
        play.wait(LONG_S)
        ACTS["sweep"](play, Step("sweep"))
        rows = play.listed()
        if not any(map(_is_left, rows)):
            break
    for row in rows:
        play.wrong += _at_rest(play, row)
    play.wrong += _of_all(play, rows)


def _moved_at_rest(play: Play) -> bool:
    """Whether money may have moved at the provider behind a payment that nothing looks at."""
    told = str(play.schedule)
    return any(word in told for word in ("dashboard_", "refundFail", "createDispute"))


def _with_outcome(play: Play, row: Payment) -> Iterator[str]:
    """After the leases no lock is left, and every client's key knows how its request ended."""
    if row.active_attempt:
        yield f"{row.id} is locked by {row.active_attempt.operation} {row.active_attempt.number}"
        return
    for step in _keyed(play.schedule.steps):
        record = _record(play, step, row.id)
        if record and record.subject_id == row.id and record.state == "open":
            yield f"{row.id}: the key {step.key} of {step.act} is open, and no lock is left"


def _record(play: Play, step: Step, payment_id: str) -> IdempotencyRecord | None:
    if step.act == "create":
        place = idempotency_items.of_creation(step.key, user_id=play.user.user_id, email=None)
    else:
        place = idempotency_items.of_payment(payment_id, step.key)
    return idempotency_items.get(place, clock.seconds())


def _keyed(steps: tuple[Step, ...]) -> Iterator[Step]:
    for step in steps:
        if step.key:
            yield step
        yield from _keyed(step.meanwhile)


def _replays(play: Play, told: Told) -> Iterator[str]:
    """Whoever has an answer kept for a key is told it again, and nobody is called."""
    record = _record(play, told.step, told.payment_id)
    if record is None or record.state != "done":
        return
    before = _sent(play)
    with suppress(PaymentDeclined):
        try:
            ACTS[told.step.act](play, told.step)
        except Conflict as error:
            yield f"{told.step}: answered before, now {error.code}"
    if _sent(play) != before:
        yield f"{told.step}: answered before, now sent again"


def _sent(play: Play) -> int:
    return sum(each.operation in CHANGES for each in play.stripe.requests)


def _is_left(row: Payment) -> bool:
    """Whether nobody has paid it, and nobody has canceled it."""
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
    """Every call at the provider was an attempt's, sent by one worker and ended once its time
    was over (rules 2, 3, 4 and 12)."""
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
        return  # its look is the same call again
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
    """Nobody paid for what no row knows, and no money went back twice for one wish."""
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
    wished = {step.payment for step in _keyed(play.schedule.steps) if step.act == "create"}
    if sum(row.provider_payment_id is not None for row in rows) > len(wished):
        yield f"{len(rows)} payments for {len(wished)} creations"


def _saved(play: Play, rows: list[Payment]) -> Iterator[str]:
    """The customer has every method that the provider keeps for a payment, and each only once."""
    kept: set[str] = {each.id for each in play.stripe.world.methods.values() if each.customer}
    customers = {row.customer_id for row in rows if row.customer_id}
    held = [it for it in map(customer_items.get, sorted(customers)) if it]
    methods = [it for each in held for it in method_items.list_of_customer(each, Page(limit=100))]
    ours = Counter(str(each.token) for each in methods)
    yield from (f"{token} is saved {times} times" for token, times in ours.items() if times > 1)
    if set(ours) != kept:
        yield f"saved here {sorted(ours)}, there {sorted(kept)}"
    if methods and sum(each.is_default for each in methods) != 1:
        yield f"{len(methods)} methods are saved, and not one of them is the default"
