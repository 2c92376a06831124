"""What must hold after every act of a schedule, and at its end.

Source: docs/payment-correctness.md, sections 3, 8 and 10. Rules are cited by their number.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import cast
from unittest.mock import patch

from bridge import clock, config, ssm
from bridge.core.operations import payment_operator
from bridge.errors import BridgeError, PaymentDeclined
from bridge.models.idempotency import IdempotencyRecord
from bridge.models.page import Page
from bridge.models.payment import Entry, Payment
from bridge.store import dynamodb, keys
from bridge.store.customers import customer_items
from bridge.store.dedupe import idempotency_items
from bridge.store.payments import payment_items
from bridge.store.wallet import method_items
from local.stripe.log import Exchange
from local.stripe.resources.json import Json
from local.stripe.simulator import StripeSimulator
from tests.proof import answers, events, facts
from tests.proof.answers import Answer
from tests.proof.drawing import SKEW_S
from tests.proof.hooks import Plan
from tests.proof.modes import DAY, HOUR, MINUTE
from tests.proof.play import HORIZON_S, LATE, Play, client_key
from tests.proof.schedules import Mode, PlannedAct, Schedule

MONEY = ("confirm", "capture", "refund")  # never sent again after an unknown outcome
CHANGES = (*MONEY, "update_payment", "cancel")
LEASES_S = 200  # after it, every lease of the schedule has ended
# How long a payment may be `processing` although the provider knows better, and can be asked.
MOST_S: dict[Mode, int] = {
    "webhooks": 2 * MINUTE,
    "event_log": 70 * MINUTE,
    "reconciliation": 25 * HOUR,
    "sweep": 25 * HOUR,
}
BACKOFF_S = 16 * MINUTE  # after an outage, an event's next status check may be so far away
REST_S: dict[Mode, int] = {
    "webhooks": 4 * HOUR,
    "event_log": 3 * HOUR,
    "reconciliation": 26 * HOUR,
    "sweep": 26 * HOUR,
}
LONG_S = 9 * DAY  # longer than keys are stored, and than ABANDON_DAYS


def prove(schedule: Schedule, stripe: StripeSimulator) -> Play:
    """Play a schedule, let it come to rest, and check everything."""
    for kind in ("events", "changes"):
        key = keys.provider_walk("stripe", kind)
        dynamodb.write(dynamodb.delete(key))  # of the last schedule, whose clock was ahead
    ssm._failed_at = 0
    # With one shard a sweep of the few payments of a schedule is one query.
    with patch.object(keys, "DUE_SHARDS", 1):
        play = Play(schedule, stripe, check_now)
        try:
            play.run()
            come_to_rest(play)
        finally:
            clock.set_offset(0)
            _forget_due(play)
    return play


def _forget_due(play: Play) -> None:
    """What would be due in weeks is nothing to the next schedule, whose clock begins anew."""
    play.machinery.changed()
    for item in play.machinery.due():
        dynamodb.client().update_item(
            TableName=config.table_name("ledger"),
            Key=dynamodb.key_of(keys.Key("ledger", item["pk"], item["sk"])),
            UpdateExpression="REMOVE due_pk, due_at",
        )


def check_now(play: Play) -> None:
    """What holds at any time, after an act or a step.

    No row offers more than there is, no checked state is overwritten (rules 5 and 6), nothing is
    stuck.
    """
    for row in play.machinery.rows():
        if row is None:
            play.wrong.append("a payment whose lock was taken is not stored")
            continue
        play.wrong += [f"{each} ({row.id})" for each in _promises(row)]
        if play.checked_versions.get(row.id) == play.version():
            play.wrong += [f"overwritten: {each}" for each in facts.disagreements(row, play)]
        _note_unseen(play, row)
        _check_stuck(play, row)


def _promises(row: Payment) -> Iterator[str]:
    attempt = row.active_attempt
    asked = attempt.refund.amount_cents if attempt and attempt.refund else 0
    left = row.captured_cents - row.refunded_cents - asked
    if row.refundable_cents != max(0, left):
        yield f"{row.refundable_cents} is offered for refund, {left} is left"
    if row.refunded_cents > row.captured_cents:
        yield f"{row.refunded_cents} of {row.captured_cents} is refunded"


def _note_unseen(play: Play, row: Payment) -> None:
    """Without events, what begins at the provider after rest is left out of the comparison."""
    if play.schedule.mode != "sweep":
        return
    happened = facts.events_of(play, row)
    if happened > play.at_rest.pop(row.id, happened):
        play.unseen.add(row.id)
    if row.due_at is None:
        play.at_rest[row.id] = happened


def _check_stuck(play: Play, row: Payment) -> None:
    """Nothing is `processing` long after the provider knew better and could be asked."""
    waited = play.now - play.waiting_since.get(row.id, play.now)
    if waited > MOST_S[play.schedule.mode] + (BACKOFF_S if play.had_outage else 0):
        play.wrong.append(f"{row.id} was processing for {waited:.0f} s")
        del play.waiting_since[row.id]
    excused = play.is_outage or play.machinery.pending[str(row.provider_payment_id)] > 0
    if row.displayed_status == "processing" and not excused and facts.is_known(play, row):
        play.waiting_since.setdefault(row.id, play.now)
    else:
        play.waiting_since.pop(row.id, None)


def come_to_rest(play: Play) -> None:
    """Let all leases end, then hours pass, then days."""
    play.wait(LEASES_S)
    for row in play.rows():
        play.wrong += _with_outcome(play, row)
    _check_repeats(play)
    play.wait(REST_S[play.schedule.mode])
    for _ in range(2):  # a payment may be abandoned days after the check that found it
        play.wait(LONG_S)
        rows = play.rows()
        if not any(map(_is_left, rows)):
            break
    for row in rows:
        play.wrong += _at_rest(play, row)
    play.wrong += _of_all(play, rows)
    hidden = {row.id for row in rows if row.is_hidden}
    play.wrong += answers.check(play.answers, play.stripe, hidden)
    for row in rows[:: max(1, len(rows))] if play.schedule.seed % 12 == 0 else []:
        play.wrong += events.deliver(play, row)
    _count(play)


def _count(play: Play) -> None:
    """What kinds of payment were met, and whether money moved."""
    play.count["schedules that charge"] += bool(play.stripe.charges())
    play.count["schedules that refund"] += bool(play.stripe.refunds())
    made = [play.schedule.terms[number] for number in play.ids]
    refunds = play.stripe.refunds()
    amounts = Counter((e["payment_intent"], e["amount"]) for e in refunds if facts.our_refund_id(e))
    failed_late = play.schedule.late_s >= DAY and any(e["status"] == "failed" for e in refunds)
    results = {(answer.planned.kind, answer.status) for answer in play.answers.given}
    met = {
        "guest": any(terms.guest for terms in made),
        "other currency": any(terms.currency != "USD" for terms in made),
        "equal refund amounts": any(times > 1 for times in amounts.values()),
        "bank debit": any(e.method.card.kind == "us_bank_account" for e in facts.charges(play)),
        "declined capture": ("capture", 402) in results,
        "expired authorization": "charge.expired"
        in {e.type for e in play.stripe.world.events.values()},
        "refund that fails after days": failed_late,
    }
    for name in (name for name, is_met in met.items() if is_met):
        play.meet(name)


def _with_outcome(play: Play, row: Payment) -> Iterator[str]:
    """After the leases no lock is left, and no idempotency record is open.

    Two exceptions end later: a creation, and a call that the provider could not be asked about.
    """
    attempt = row.active_attempt
    if attempt:
        if attempt.operation != "create" and not play.had_outage:
            yield f"{row.id} is locked by {attempt.operation} {attempt.number}"
        return
    for answer in play.answers.given:
        record = _record(play, answer, row.id) if answer.planned.key else None
        if record and record.subject_id == row.id and record.state == "open":
            yield f"{answer}: its key is open, and no lock is left"


def _record(play: Play, answer: Answer, payment_id: str) -> IdempotencyRecord | None:
    key = client_key(answer.planned)
    if answer.planned.kind == "create":
        is_guest = play.schedule.terms[answer.planned.payment].guest
        user_id = None if is_guest else play.user.user_id
        place = idempotency_items.of_creation(key, user_id=user_id, email=play.guest_email)
    else:
        place = idempotency_items.of_payment(payment_id, key)
    return idempotency_items.get(place, clock.seconds())


def _check_repeats(play: Play) -> None:
    """A stored response is given again for its key, and the provider is not called."""
    final = {e.planned: e for e in play.answers.given if e.is_final and e.planned.key}
    for planned, answer in final.items():
        known = play.ids.get(planned.payment)
        record = _record(play, answer, known) if known else None
        row = payment_items.get(known) if known else None
        if row is None or row.is_hidden or record is None or record.state != "done":
            continue
        before = _sent(play)
        with suppress(PaymentDeclined):
            try:
                play.call(planned, Plan())
            except BridgeError as error:
                if error.status != 402:
                    play.wrong.append(f"{answer}, and now {error.code}")
        if _sent(play) != before:
            play.wrong.append(f"{answer}, and now it was sent again")


def _sent(play: Play) -> int:
    return sum(each.operation in CHANGES for each in play.stripe.requests)


def _is_left(row: Payment) -> bool:
    """Whether it is neither paid nor canceled."""
    return row.is_open and row.status in ("created", "failed")


def _at_rest(play: Play, row: Payment) -> Iterator[str]:
    found = payment_operator.inspect_payment(row.id)
    if row.id not in play.unseen:
        yield from facts.disagreements(row, play)
        yield from facts.refunds(row, play)
    yield from _promises(row)
    if not found.timeline_is_whole:
        yield f"{row.id}: the timeline is broken"
    if found.is_locked or found.overdue_seconds:
        yield f"{row.id}: locked {found.is_locked}, overdue {found.overdue_seconds} s"
    if _is_left(row):
        yield f"{row.id} is {row.status}, and nobody has canceled it"
    charges = [e for e in play.stripe.charges() if e["payment_intent"] == row.provider_payment_id]
    if len(charges) > 1:
        yield f"{row.id} was charged {len(charges)} times"
    yield from events.check(row)
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
        if before and calls[0].at + SKEW_S < before.at.timestamp():
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
    open_ones = [_payment_of(e) for e in play.stripe.intents() if e["status"] != "canceled"]
    yield from (f"{it} has {n} objects" for it, n in Counter(open_ones).items() if n > 1)
    ours = Counter(facts.our_refund_id(each) for each in play.stripe.refunds())
    yield from (f"{it} was made {n} times" for it, n in ours.items() if it and n > 1)
    asked = list(_refunds_of(play.schedule.acts))
    keys_asked = {(each.payment, each.key) for each in asked}
    is_short = sum(each.after for each in play.schedule.acts) < DAY  # else keys may be new again
    if is_short and sum(bool(it) for it in ours) > len(keys_asked):
        yield f"{len(ours)} refunds were made for {len(keys_asked)} requests"
    yield from _saved(play, rows)


def _refunds_of(acts: Iterable[PlannedAct]) -> Iterator[PlannedAct]:
    for act in acts:
        if act.kind == "refund":
            yield act
        yield from _refunds_of(act.meanwhile)


def _saved(play: Play, rows: list[Payment]) -> Iterator[str]:
    """The same methods are saved on both sides, each once, with one default."""
    world = play.stripe.world
    kept = {it.id for it in world.methods.values() if world.existing_customer(str(it.customer))}
    customers = {row.customer_id for row in rows if row.customer_id}
    saving = [it for it in map(customer_items.get, sorted(customers)) if it]
    methods = [it for each in saving for it in method_items.list_of_customer(each, Page(limit=100))]
    ours = Counter(str(each.token) for each in methods)
    yield from (f"{token} is saved {times} times" for token, times in ours.items() if times > 1)
    if set(ours) != kept:
        yield f"saved here {sorted(ours)}, there {sorted(kept)}"
    if methods and sum(each.is_default for each in methods) != 1:
        yield f"{len(methods)} methods are saved, and not one of them is the default"
