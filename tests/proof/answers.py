"""The log of what clients were given, and whether the end contradicts any of it.

A 2xx of a money call happened; a 402 or any other 4xx did not; equal requests with one key got the
same final answer, and before it only "not yet" (202, 409) or "nothing was done" (400, 502, 503).
Source: docs/payment-correctness.md, rules 4 and 19; docs/api/native.md, section 4 (B17, B20).
"""

import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from bridge import clock
from bridge.errors import BridgeError, PaymentDeclined
from bridge.models.payment import Payment, PaymentResult
from bridge.models.refund import Refund
from local.stripe.simulator import StripeSimulator
from tests.proof.schedules import PlannedAct

MONEY_CALLS = ("create", "confirm", "update", "capture", "cancel", "refund")
PAID = ("succeeded", "requires_capture", "disputed", "refunded", "partially_refunded")
EXPIRY = {"charge.expired", "charge.refunded", "refund.created", "payment_intent.canceled"}
MONEY_MOVED = {
    "charge.succeeded",
    "charge.pending",
    "payment_intent.succeeded",
    "payment_intent.processing",
    "payment_intent.amount_capturable_updated",
}
TEMPORARY = (202, 409, 503)
KEPT_S = 23 * 3600  # a key is kept for 24 hours from when it was first used
NOTHING_DONE = (400, 401, 403, 404, 502)


@dataclass(frozen=True)
class Answer:
    """What one client was given, and when (`at`, in seconds).

    `keys`: the provider's keys of the attempts that the call made. `began`, `ended`: its place
    among all answers. `payment` and `refund`: as they were content, with a 2xx only.
    """

    planned: PlannedAct
    at: int
    status: int
    code: str
    keys: tuple[str, ...]
    began: int
    ended: int
    payment: Payment | None = None
    refund: Refund | None = None

    @property
    def is_final(self) -> bool:
        """Whether an equal request must get this answer from now on."""
        return self.status in (200, 201, 402)

    @property
    def content(self) -> tuple[object, ...]:
        """What must be the same in every final answer of one key."""
        if self.refund:
            again = self.refund
            return self.status, again.id, again.amount_cents, again.currency, again.status
        if self.payment is None:
            return self.status, self.code
        paid = self.payment
        amounts = (paid.total_cents, paid.captured_cents, paid.refunded_cents)
        return self.status, paid.id, paid.provider_payment_id, paid.displayed_status, *amounts

    def __str__(self) -> str:
        return f"{self.planned} was given {self.status} {self.code}"


@dataclass
class Answers:
    """All answers of a schedule, oldest first."""

    given: list[Answer] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _turn: int = 0

    def turn(self) -> int:
        """The next place in the order of all calls."""
        with self._lock:
            self._turn += 1
            return self._turn

    def add_result(
        self, planned: PlannedAct, result: PaymentResult, keys: list[str], began: int
    ) -> None:
        """A client got a 2xx."""
        status = 201 if planned.kind in ("create", "refund") else 200
        if result.retry_after is not None:
            status = 202
        code = result.refund.status if result.refund else result.payment.displayed_status
        given = Answer(planned, clock.seconds(), status, code, tuple(keys), began, self.turn())
        self.given.append(replace(given, payment=result.payment, refund=result.refund))

    def add_error(
        self, planned: PlannedAct, error: BridgeError, keys: list[str], began: int
    ) -> None:
        """A client got an error."""
        code = error.code
        if isinstance(error, PaymentDeclined):
            code = f"{code} {error.decline_code}"
        place = (tuple(keys), began, self.turn())
        given = Answer(planned, clock.seconds(), error.status, code, *place)
        self.given.append(given)


def check(answers: Answers, stripe: StripeSimulator, hidden: set[str]) -> Iterator[str]:
    """What clients were told and the end contradicts. `hidden`: payments that are gone for them."""
    happened: dict[str, set[str]] = defaultdict(set)
    for event in stripe.world.events.values():
        if event.idempotency_key:
            happened[event.idempotency_key].add(event.type)
    for answer in answers.given:
        if answer.planned.kind not in MONEY_CALLS or answer.status == 202:
            continue
        done = set().union(*(happened[key] for key in answer.keys))
        broken = _yes(answer, stripe, done) if answer.is_final else _no(answer, done)
        yield from (f"{answer}: {each}" for each in broken)
    yield from _keys(answers, hidden)


def _no(answer: Answer, done: set[str]) -> Iterator[str]:
    """Any error: nothing of it may have happened. A creation may go on after a 503 (rule 4)."""
    if answer.status >= 500 and answer.status not in (502, 503):
        yield "an error of our own"
    if "charge.expired" in done:  # the authorization was over; a capture only made Stripe notice
        done = done - EXPIRY
    if done and not (answer.planned.kind == "create" and answer.status == 503):
        yield f"and it happened: {sorted(done)}"


def _yes(answer: Answer, stripe: StripeSimulator, done: set[str]) -> Iterator[str]:
    """A 2xx or a decline: what it says must be true at the provider."""
    given = answer.payment
    if given is None:
        if done & MONEY_MOVED:
            yield "and its card was charged"
        return
    intent = stripe.world.intents.get(str(given.provider_payment_id))
    if intent is None:
        yield "the provider has no such payment"
        return
    charges = [e for e in stripe.world.charges.values() if e.payment_intent == intent.id]
    match answer.planned.kind:
        case "confirm" if answer.code in PAID and not any(each.paid for each in charges):
            yield "and nobody was charged"
        case "confirm" if answer.code == "processing" and not charges:
            yield "and nobody is charged"
        case "confirm" if answer.code == "created":
            yield "which is no answer to a confirm"
        case "capture" if not any(each.captured for each in charges):
            yield "and nothing was captured"
        case "cancel" if intent.status != "canceled" and intent.status != "succeeded":
            yield f"and it is {intent.status}"
        case "refund" if answer.refund:
            yield from _refund(answer.refund, stripe)


def _refund(given: Refund, stripe: StripeSimulator) -> Iterator[str]:
    made = [
        each for each in stripe.world.refunds.values() if each.metadata.get("refund_id") == given.id
    ]
    if len(made) != 1:
        yield f"and it was made {len(made)} times"
    elif given.status != "failed" and given.provider_refund_id != made[0].id:
        yield f"with {given.provider_refund_id}, and it is {made[0].id}"


def _keys(answers: Answers, hidden: set[str]) -> Iterator[str]:
    """One key, one answer (rule 19)."""
    asked: dict[tuple[Any, ...], list[Answer]] = defaultdict(list)
    for each in answers.given:
        act = each.planned
        if act.key:
            asked[act.kind, act.payment, act.key, act.card, act.amount].append(each)
    for equal in asked.values():
        final = min((e for e in equal if e.is_final), key=lambda e: e.ended, default=None)
        for each in equal:
            if final and each.at > final.at + KEPT_S:
                continue  # the key is a new one by now
            if each.is_final and final:
                if each.content != final.content:
                    yield f"{each} with {each.content}, and before it {final.content}"
            elif final and each.began > final.ended:
                is_gone = final.payment and final.payment.id in hidden and each.status == 404
                if each.status != 503 and not is_gone:
                    yield f"{each}, and before it {final.status} {final.code}"
            elif each.status not in (*TEMPORARY, *NOTHING_DONE):
                yield f"{each}, which is no answer to wait for"
