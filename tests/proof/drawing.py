"""Draws a schedule from a seed. The same seed gives the same schedule.

Source: docs/payment-correctness.md, section 10.
"""

from dataclasses import dataclass, field
from random import Random

from tests.proof.schedules import MODES, PlannedAct, Schedule, Terms

SECURE = "threeDSecure2Required"
BANK = ("usBankAccount_success", "usBankAccount_insufficientFunds")
CARDS = (
    *("visa",) * 9,
    "mastercard",
    *(SECURE,) * 3,
    "visa_chargeDeclined",
    "visa_chargeDeclined",
    "authenticationRequiredChargeDeclinedInsufficientFunds",
    *("pendingRefund",) * 2,
    *("refundFail",) * 2,
    "createDispute",
    "createDisputeInquiry",
    *BANK,
)
CURRENCIES = (*("USD",) * 6, "EUR", "JPY", "KWD", "ISK")
POINTS = ("locking", "locked", "answered", "fetched", "committing", "saving", "committed")
CHECK_POINTS = ("fetched", "committing", "saving", "committed")
LOST = ("drop_before", "drop_after", "500_before", "500_after", "truncated_body", "html_502")
TURNED_AWAY = ("429", "503", "409", "lock_timeout", "401", "403")
HANGS = ("hang_before", "hang_after")
OUTAGES = ("503", "500_before", "drop_before", "401")
STORE = ("conflict", "throttled", "answer_lost", "conflict_3", "ssm")
PAUSES = (3, 3, 3, 8, 20, 45, 61, 92, 130, 400, 3600)
CALLS = ("create", "confirm", "update", "capture", "cancel", "refund")
KEYED = CALLS  # at the provider every one of them bears an idempotency key
CHECKS = ("sync", "sweep", "webhook", "status_check")
# No forged age: Stripe's SDK compares it with the real clock, which the proof does not move.
FORGED = ("forged_body", "forged_signature")
AT_THE_BANK = ("confirm", "customer", "customer", "customer", "sync", "sync", "sweep", "webhook")
TOTAL, EQUAL = 5000, 700
DAY = 24 * 3600
SKEW_S = 2.5  # so two workers differ by at most 5 s
# By what we learn of a change: the check that takes the place of a webhook delivered by hand.
LEARNED_BY = {
    "webhooks": "webhook",
    "event_log": "event_log",
    "reconciliation": "reconcile",
    "sweep": "sweep",
}


@dataclass
class Drawing:
    """Draws one schedule. It remembers which numbers it used for keys and amounts."""

    seed: int
    dice: Random = field(init=False)
    used: int = 0
    terms: list[Terms] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = Random(self.seed)
        self.mode = MODES[self.seed % len(MODES)]

    def happens(self, chance: float) -> bool:
        """True with this probability."""
        return self.dice.random() < chance

    def next_number(self) -> int:
        """A number that was not used in this schedule, for a key or an amount."""
        self.used += 1
        return self.used

    def schedule(self) -> Schedule:
        """Draw the whole schedule."""
        payments = 2 if self.happens(0.08) else 1
        acts: list[PlannedAct] = []
        for number in range(payments):
            self.terms.append(self._draw_terms())
            acts += self._draw_payment(number, alone=payments == 1)
        if self.happens(0.03):
            acts.insert(self.dice.randint(1, len(acts)), self._draw_outage())
        deletes = self.happens(0.06)
        if deletes:
            gone = PlannedAct("delete_customer", after=self.dice.choice((60, 600, DAY)))
            acts.insert(self.dice.randint(len(acts) * 2 // 3, len(acts)), gone)
        late_s = self.dice.choice((60, 60, 3600, 2 * DAY, 5 * DAY))
        cascades = deletes and self.happens(0.7)
        return Schedule(self.seed, self.mode, tuple(self.terms), tuple(acts), cascades, late_s)

    def _draw_terms(self) -> Terms:
        guest = self.happens(0.1)
        return Terms(
            manual=self.happens(0.3),
            saves=not guest and self.happens(0.3),
            guest=guest,
            currency=self.dice.choice(CURRENCIES),
        )

    def _draw_payment(self, payment: int, *, alone: bool) -> list[PlannedAct]:
        """The usual calls of a payment, with other acts between them. Each may go wrong."""
        if alone and self.happens(0.15):
            return self._at_the_bank(payment)
        kinds = ["create", "confirm"]
        if self.terms[payment].manual:
            kinds.append("cancel" if self.happens(0.1) else "capture")
            if self.happens(0.08):
                kinds.insert(2, self.dice.choice(("captures_decline", "authorization_expires")))
        paid = len(kinds)
        kinds += ["refund"] * self.dice.choice((0, 1, 1, 1, 1, 2, 2, 2, 3))
        for _ in range(self.dice.choice((0, 1, 1, 2, 2, 3, 4))):
            call = self.dice.choice(("confirm", "update", "cancel", "capture", "refund", "sync"))
            other = self.dice.choice((call, *CHECKS, "webhook", "customer", "dashboard"))
            ends_it = other in ("cancel", "customer", "dashboard") and not self.happens(0.3)
            kinds.insert(self.dice.randint(paid if ends_it else 1, len(kinds)), other)
        acts: list[PlannedAct] = []
        if self.terms[payment].saves and self.happens(0.4):
            acts.append(PlannedAct("attach", payment, card="visa"))
        for kind in kinds:
            acts += self._with_faults(self._draw_act(kind, payment), alone=alone)
            if kind == "confirm":
                acts += self._persist(acts[-1], payment)
            if kind != "create" and alone and self.happens(0.03):
                acts.append(self._draw_together(payment))
        return acts + self._much_later(payment)

    def _persist(self, confirm: PlannedAct, payment: int) -> list[PlannedAct]:
        """A payer who really wants to pay: finishes 3-D Secure, or tries again with a good card."""
        acts = []
        if confirm.card == SECURE and self.happens(0.75):
            acts.append(PlannedAct("finishes", payment, after=self.dice.choice((3, 20, 92))))
        if self.happens(0.6):
            again = self._draw_act("confirm", payment).having(card="visa")
            acts.append(again.having(after=self.dice.choice((20, 92, 130, 400))))
        return acts

    def _much_later(self, payment: int) -> list[PlannedAct]:
        """Days after the last call: the bank closes a dispute, somebody acts at the dashboard."""
        if not self.happens(0.12):
            return []
        opens = PlannedAct("dashboard_dispute", payment, after=self.dice.choice((600, DAY)))
        days = self.dice.choice((1, 4, 12, 20)) * DAY
        closes = PlannedAct(self.dice.choice(("dispute_won", "dispute_lost")), payment, after=days)
        refund = self._draw_act("dashboard", payment).having(after=self.dice.choice((1, 4)) * DAY)
        return self.dice.choice(([opens, closes], [closes], [refund]))

    def _draw_outage(self) -> PlannedAct:
        """The provider cannot be asked for hours."""
        seconds = self.dice.choice((1800, 3600, 7200))
        return PlannedAct("outage", amount=seconds, fault=self.dice.choice(OUTAGES))

    def _at_the_bank(self, payment: int) -> list[PlannedAct]:
        """3-D Secure, with a payer who comes and goes while we ask the provider."""
        if self.happens(0.3):
            return self.dice.choice((self._back_and_forth, self._overtaken))(payment)
        kinds = self.dice.choices((*AT_THE_BANK, "update", "cancel"), k=self.dice.randint(4, 7))
        acts: list[PlannedAct] = []
        for kind in ["create", "confirm", *kinds]:
            act = self._draw_act(kind, payment)
            if act.card and self.happens(0.8):
                act = act.having(card=SECURE)
            if kind == "sync" and self.happens(0.4):
                by = tuple(self._draw_act(each, payment) for each in ("customer", "sync"))
                others = tuple(each.having(after=2) for each in by)
                acts.append(act.having(at="fetched", meanwhile=others))
            else:
                acts += self._with_faults(act, alone=True)
        return acts + self._paid_in_the_end(payment)

    def _paid_in_the_end(self, payment: int) -> list[PlannedAct]:
        if self.happens(0.3):
            return []
        confirm = self._draw_act("confirm", payment).having(card="visa", after=130)
        refund = self._draw_act("refund", payment)
        return [confirm, refund] if self.happens(0.6) else [confirm]

    def _back_and_forth(self, payment: int) -> list[PlannedAct]:
        """The provider's state changes and changes back during one slow status check (rule 6)."""
        opens = PlannedAct("confirms", payment, card=SECURE)
        drops = PlannedAct("drops", payment, after=2)
        confirm = self._draw_act("confirm", payment).having(card=SECURE)
        begun = [self._draw_act("create", payment), confirm]
        kinds = self.dice.choices(("sync", LEARNED_BY[self.mode]), k=3)
        checks = [PlannedAct(kind, payment) for kind in kinds]
        slow = checks[1].having(at="fetched", meanwhile=(drops, checks[2]))
        last = self._draw_act(self.dice.choice(("customer", "cancel", "sync")), payment)
        acts = [*begun, drops, checks[0], opens, slow, last]
        return acts + self._paid_in_the_end(payment)

    def _overtaken(self, payment: int) -> list[PlannedAct]:
        """Our request has not arrived yet, and the payer pays in the browser (rule 12)."""
        create, confirm = self._draw_act("create", payment), self._draw_act("confirm", payment)
        lost = confirm.having(fault="drop_before", times=2, late=self.dice.randint(20, 60))
        browser = PlannedAct("confirms", payment, card=self.dice.choice(CARDS))
        checks = [self._draw_act(kind, payment) for kind in self.dice.choices(CHECKS, k=2)]
        acts = [create, lost, browser, *checks, self._draw_act("sync", payment)]
        return acts + self._paid_in_the_end(payment)

    def _draw_together(self, payment: int) -> PlannedAct:
        """Several acts at once, in threads. Only this does not repeat exactly for one seed."""
        kinds = self.dice.choices((*CALLS[1:], *CHECKS), k=self.dice.randint(2, 4))
        acts = [self._draw_act(kind, payment) for kind in kinds]
        dies = self.dice.choice(POINTS) if self.happens(0.3) else ""
        twice = (acts[0], *acts[:-1], acts[-1].having(dies=dies))
        return PlannedAct("together", payment, meanwhile=twice)

    def _draw_act(self, kind: str, payment: int) -> PlannedAct:
        """One act of an actor who does not know what the others do."""
        number = self.next_number()
        key = f"k{number}" if kind != "update" and self.happens(0.75) else ""
        match kind:
            case "create":
                return PlannedAct(kind, payment, key=f"k{number}", amount=TOTAL)
            case "confirm":
                return PlannedAct(kind, payment, key=key, card=self._draw_card(payment))
            case "update":
                return PlannedAct(kind, payment, amount=TOTAL + 10 * number)
            case "capture":
                part = TOTAL // 2 + 10 * number if self.happens(0.4) else None
                return PlannedAct(kind, payment, key=key, amount=part)
            case "refund":
                own = 300 + 10 * number + self.dice.choice((0, 0, 1200, 2200))
                amount = EQUAL if self.happens(0.3) else own
                return PlannedAct(kind, payment, key=f"k{number}", amount=amount)
            case "customer":
                what = self.dice.choice(("finishes", "finishes", "drops", "confirms"))
                return PlannedAct(what, payment, card=self._draw_card(payment))
            case "dashboard":
                what = self.dice.choice(("refund", "refund", "capture", "cancel", "dispute"))
                given = 400 + 10 * number if what == "refund" else None
                return PlannedAct(f"dashboard_{what}", payment, amount=given)
            case "webhook" if self.mode == "webhooks":
                which = self.dice.choice((0, 0, 0, 1, 1, 2, 3, 5))
                name = self.dice.choice(FORGED) if self.happens(0.06) else kind
                return PlannedAct(name, payment, amount=which)
            case "webhook":
                return PlannedAct(LEARNED_BY[self.mode], payment)
            case _:
                return PlannedAct(kind, payment, key=key if kind == "cancel" else "")

    def _draw_card(self, payment: int) -> str:
        """A bank account pays in dollars and at once; a saved method pays for its own customer."""
        terms, card = self.terms[payment], self.dice.choice(CARDS)
        if terms.saves and self.happens(0.3):
            return "saved"
        if card in BANK and (terms.manual or terms.currency != "USD"):
            return "visa"
        return card

    def _with_faults(self, act: PlannedAct, *, alone: bool) -> list[PlannedAct]:
        """The act with what goes wrong in it, and what its client does afterwards."""
        changes: dict[str, object] = {"after": self.dice.choice(PAUSES)}
        is_check = act.kind in (*CHECKS, *LEARNED_BY.values())
        if act.kind in CALLS or (is_check and alone):
            changes |= self._draw_faults(act, alone=alone)
        first = act.having(**changes)
        acts = [first]
        went_wrong = first.dies or first.fault or first.store or first.meanwhile
        patience = 0.85 if first.kind == "create" else 0.6
        while went_wrong and first.kind in (*CALLS, "webhook") and self.happens(patience):
            acts.append(self._retry(first, alone=alone))
            patience *= 0.8
        if went_wrong and self.happens(0.3):
            check = self._draw_act(self.dice.choice(("sync", "sync", "sweep")), act.payment)
            acts.append(check.having(after=self.dice.choice(PAUSES)))
        return acts

    def _retry(self, act: PlannedAct, *, alone: bool) -> PlannedAct:
        """The client repeats its request: mostly the same bytes, sometimes with another card."""
        again = PlannedAct(act.kind, act.payment, act.key, act.card, act.amount)
        again = again.having(after=self.dice.choice(PAUSES))
        if act.kind == "confirm" and self.happens(0.4):
            card, key = self._draw_card(act.payment), f"k{self.next_number()}"
            again = again.having(card=card, key=key)
        if self.happens(0.25):
            again = again.having(**self._draw_faults(act, alone=alone))
        return again

    def _draw_faults(self, act: PlannedAct, *, alone: bool) -> dict[str, object]:
        """What goes wrong in an act, as fields of `PlannedAct`. `alone`: there is one payment."""
        is_call = act.kind in CALLS
        is_wrong = self.happens(0.25)
        skew: dict[str, object] = {"skew": self.dice.choice((-SKEW_S, SKEW_S))} if is_wrong else {}
        roll = self.dice.random()
        if roll < 0.18:
            point = self.dice.choice(POINTS if is_call else CHECK_POINTS)
            return skew | {"dies": point, "hard": self.happens(0.03)}
        if roll < 0.4:
            return skew | self._draw_provider_fault(is_call=is_call)
        if roll < 0.64 and alone:
            points = POINTS if is_call else CHECK_POINTS
            others = tuple(self._bystander(act) for _ in range(self.dice.choice((1, 1, 2, 3))))
            race: dict[str, object] = {"at": self.dice.choice(points), "meanwhile": others}
            return skew | race | ({"fault": "429"} if is_call and self.happens(0.2) else {})
        if roll < 0.7:
            store = self.dice.choice(STORE)
            return skew | {"store": "lagging" if act.kind == "sweep" else store}
        return skew

    def _draw_provider_fault(self, *, is_call: bool) -> dict[str, object]:
        if is_call and self.happens(0.35):
            late = self.dice.choice((self.dice.randint(1, 58), 60))
            return {"fault": "drop_before", "times": 2, "late": late}
        if is_call and self.happens(0.14):
            return {"fault": "500_stored", "times": 1}
        if not is_call and self.happens(0.3):
            return {"fault": "stale", "times": 3}
        if self.happens(0.03):
            return {"fault": self.dice.choice(HANGS), "times": 2}
        kind = self.dice.choice(LOST if self.happens(0.7) else TURNED_AWAY)
        fault: dict[str, object] = {"fault": kind, "times": self.dice.choice((1, 2, 2))}
        return fault | ({"dies": self.dice.choice(POINTS)} if self.happens(0.15) else {})

    def _bystander(self, act: PlannedAct) -> PlannedAct:
        """What another actor does while a worker stands at a crash point. It may die too."""
        kinds = (*CALLS[1:], *CHECKS, *CHECKS, "customer", "customer", "dashboard", act.kind)
        kind = self.dice.choice(kinds)
        if kind == act.kind and kind in CALLS and self.happens(0.6):
            return act.having(after=self.dice.choice((1, 2, 4)))  # from a second tab
        other = self._draw_act("sync" if kind == "create" else kind, act.payment)
        dies = self.dice.choice(POINTS) if kind in CALLS and self.happens(0.2) else ""
        skew = self.dice.choice((-SKEW_S, SKEW_S)) if self.happens(0.2) else 0
        return other.having(after=self.dice.choice((1, 2, 4, 9)), dies=dies, skew=skew)


def draw(seed: int) -> Schedule:
    """The schedule of a seed."""
    return Drawing(seed).schedule()
