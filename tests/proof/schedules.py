"""Draws a schedule from a seed: who does what, what is lost, and which worker dies where.

A schedule is data. The same seed gives the same schedule. It contains names, never ids.
Source: docs/payment-correctness.md, section 10.
"""

from dataclasses import dataclass, field, fields
from random import Random

CARDS = (
    "visa",
    "visa",
    "visa",
    "mastercard",
    "threeDSecure2Required",
    "threeDSecure2Required",
    "visa_chargeDeclined",
    "authenticationRequiredChargeDeclinedInsufficientFunds",
    "pendingRefund",
    "refundFail",
    "createDispute",
)
POINTS = ("locking", "locked", "answered", "fetched", "committing", "saving", "committed")
LOST = ("drop_before", "drop_after", "500_before", "500_after", "truncated_body", "html_502")
TURNED_AWAY = ("429", "503", "409", "lock_timeout")
STORE = ("conflict", "throttled", "answer_lost", "conflict_3")
PAUSES = (3, 3, 3, 8, 20, 45, 61, 92, 130, 400, 3600)
CALLS = ("create", "confirm", "update", "capture", "cancel", "refund")
CHECKS = ("sync", "sweep", "webhook", "status_check")
# No forged age: Stripe's SDK compares it with the real clock, which the proof does not move.
FORGED = ("forged_body", "forged_signature")
AT_THE_BANK = ("confirm", "customer", "sync", "sweep", "update", "cancel")
TOTAL = 5000


@dataclass(frozen=True)
class PlannedAct:
    """One act on one payment, which happens after a pause.

    - `kind`: a key of `play.ACTS`. `payment`: the payment's number in the schedule.
    - `key`: the client's idempotency key, by a name. `card`: the payment method, by a name.
    - `amount`: in cents. Of a webhook: which event it delivers, counted from the newest. So events
      come late, twice, in any order or never.
    - `after`: the pause before it, in seconds.
    - `dies`: the crash point at which the worker is killed. `hard`: as a process of its own.
    - `at`, `meanwhile`: while the worker stands at the crash point `at`, these acts happen. In the
      act "together" they run at once, in threads.
    - `fault`, `times`: what goes wrong with the provider's next answers, and how often.
    - `late`: the request is lost, and arrives so many seconds later.
    - `store`: what goes wrong with DynamoDB's next answer.
    """

    kind: str
    payment: int = 0
    key: str = ""
    card: str = ""
    amount: int | None = None
    after: int = 3
    dies: str = ""
    hard: bool = False
    at: str = ""
    meanwhile: tuple["PlannedAct", ...] = ()
    fault: str = ""
    times: int = 1
    late: int = 0
    store: str = ""

    def __str__(self) -> str:
        """Only what differs from the defaults: `refund key=k4 amount=104 dies=locked`."""
        words = [self.kind]
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name in ("kind", "meanwhile") or value == each.default:
                continue
            words.append(f"{each.name}={value}")
        inner = "; ".join(map(str, self.meanwhile))
        return " ".join(words) + (f" {{ {inner} }}" if inner else "")


@dataclass(frozen=True)
class Schedule:
    """The acts of one seed, and how each payment is made.

    `manual`: whether the money is authorized first and captured by a call. `saves`: whether the
    payment method is saved for the customer. Both have one value for each payment.
    """

    seed: int
    manual: tuple[bool, ...]
    saves: tuple[bool, ...]
    acts: tuple[PlannedAct, ...]

    def __str__(self) -> str:
        lines = [f"  {number}. {each}" for number, each in enumerate(self.acts)]
        return "\n".join([f"seed {self.seed}, manual={self.manual}, saves={self.saves}", *lines])


@dataclass
class Drawing:
    """Draws one schedule. It remembers which numbers it used for keys and amounts.

    Every refund has an amount of its own, so a refund that was made twice can be noticed.
    The order of the random draws must not change: the seeds of `mutations.py` depend on it.
    """

    seed: int
    dice: Random = field(init=False)
    used: int = 0

    def __post_init__(self) -> None:
        self.dice = Random(self.seed)

    def happens(self, chance: float) -> bool:
        """True with this probability."""
        return self.dice.random() < chance

    def next_number(self) -> int:
        """A number that was not used in this schedule, for a key or an amount."""
        self.used += 1
        return self.used

    def schedule(self) -> Schedule:
        """Draw the whole schedule."""
        payments = 2 if self.happens(0.06) else 1
        manual = tuple(self.happens(0.35) for _ in range(payments))
        saves = tuple(self.happens(0.3) for _ in range(payments))
        acts: list[PlannedAct] = []
        for number in range(payments):
            acts += self._draw_payment(number, manual=manual[number], alone=payments == 1)
        return Schedule(self.seed, manual, saves, tuple(acts))

    def _draw_payment(self, payment: int, *, manual: bool, alone: bool) -> list[PlannedAct]:
        """The usual calls of a payment, with other acts between them. Each may go wrong."""
        if alone and self.happens(0.2):
            return self._at_the_bank(payment)
        kinds = ["create", "confirm"]
        if manual:
            kinds.append("cancel" if self.happens(0.2) else "capture")
        kinds += ["refund"] * self.dice.choice((0, 0, 1, 1, 2, 3))
        for _ in range(self.dice.choice((0, 1, 1, 2, 2, 3, 4))):
            call = self.dice.choice(("confirm", "update", "cancel", "capture", "refund", "sync"))
            other = self.dice.choice((call, *CHECKS, "webhook", "customer", "dashboard"))
            kinds.insert(self.dice.randint(1, len(kinds)), other)
        acts: list[PlannedAct] = []
        for kind in kinds:
            acts += self._with_faults(self._draw_act(kind, payment), alone=alone)
            if kind != "create" and alone and self.happens(0.03):
                acts.append(self._draw_together(payment))
        return acts

    def _at_the_bank(self, payment: int) -> list[PlannedAct]:
        """3-D Secure, with a payer who comes and goes while we ask the provider."""
        if self.happens(0.3):
            return self.dice.choice((self._back_and_forth, self._overtaken))(payment)
        more = (*AT_THE_BANK, "customer", "customer", "sync", "webhook")
        kinds = ["create", "confirm", *self.dice.choices(more, k=self.dice.randint(4, 8))]
        acts: list[PlannedAct] = []
        for kind in kinds:
            act = self._draw_act(kind, payment)
            if act.card and self.happens(0.8):
                act = _with(act, {"card": "threeDSecure2Required"})
            if kind == "sync" and self.happens(0.4):
                by = tuple(self._draw_act(each, payment) for each in ("customer", "sync"))
                others = tuple(_with(each, {"after": 2}) for each in by)
                acts.append(_with(act, {"at": "fetched", "meanwhile": others}))
            else:
                acts += self._with_faults(act, alone=True)
        return acts

    def _back_and_forth(self, payment: int) -> list[PlannedAct]:
        """The provider's state changes and changes back during one slow status check (rule 6)."""
        card = "threeDSecure2Required"
        opens, drops = (
            PlannedAct("confirms", payment, card=card),
            PlannedAct("drops", payment, after=2),
        )
        confirm = _with(self._draw_act("confirm", payment), {"card": card})
        begun = [self._draw_act("create", payment), confirm]
        checks = [PlannedAct(kind, payment) for kind in self.dice.choices(("sync", "webhook"), k=3)]
        slow = _with(checks[1], {"at": "fetched", "meanwhile": (drops, checks[2])})
        last = self._draw_act(self.dice.choice(("customer", "cancel", "sync")), payment)
        return [*begun, drops, checks[0], opens, slow, last]

    def _overtaken(self, payment: int) -> list[PlannedAct]:
        """Our request has not arrived yet, and the payer pays in the browser (rule 12)."""
        begun = [self._draw_act("create", payment), self._draw_act("confirm", payment)]
        late = {"fault": "drop_before", "times": 2, "late": self.dice.randint(20, 58)}
        browser = PlannedAct("confirms", payment, card=self.dice.choice(CARDS))
        checks = [self._draw_act(kind, payment) for kind in self.dice.choices(CHECKS, k=2)]
        return [begun[0], _with(begun[1], late), browser, *checks, self._draw_act("sync", payment)]

    def _draw_together(self, payment: int) -> PlannedAct:
        """Several acts at once, in threads. Only this does not repeat exactly for one seed."""
        kinds = self.dice.choices((*CALLS[1:], *CHECKS), k=self.dice.randint(2, 4))
        acts = [self._draw_act(kind, payment) for kind in kinds]
        dies = self.dice.choice(POINTS) if self.happens(0.3) else ""
        twice = (acts[0], *acts[:-1], _with(acts[-1], {"dies": dies}))
        return PlannedAct("together", payment, meanwhile=twice)

    def _draw_act(self, kind: str, payment: int) -> PlannedAct:
        """One act of an actor who does not know what the others do."""
        number = self.next_number()
        key = f"k{number}" if kind != "update" and self.happens(0.75) else ""
        match kind:
            case "create":
                return PlannedAct(kind, payment, key=f"k{number}", amount=TOTAL)
            case "confirm":
                card = self.dice.choice(CARDS)
                return PlannedAct(kind, payment, key=key, card=card)
            case "update":
                return PlannedAct(kind, payment, amount=TOTAL + number)
            case "capture":
                part = TOTAL // 2 + number if self.happens(0.4) else None
                return PlannedAct(kind, payment, key=key, amount=part)
            case "refund":
                amount = 200 + number + (self.dice.choice((0, 0, 1200, 2200)))
                return PlannedAct(kind, payment, key=f"k{number}", amount=amount)
            case "customer":
                what = self.dice.choice(("finishes", "drops", "drops", "confirms"))
                return PlannedAct(what, payment, card=self.dice.choice(CARDS))
            case "dashboard":
                what = self.dice.choice(("refund", "refund", "capture", "cancel", "dispute"))
                given = 300 + number if what == "refund" else None
                return PlannedAct(f"dashboard_{what}", payment, amount=given)
            case "webhook":
                which = self.dice.choice((0, 0, 0, 1, 1, 2, 3, 5))
                name = self.dice.choice(FORGED) if self.happens(0.06) else kind
                return PlannedAct(name, payment, amount=which)
            case _:
                return PlannedAct(kind, payment, key=key if kind == "cancel" else "")

    def _with_faults(self, act: PlannedAct, *, alone: bool) -> list[PlannedAct]:
        """The act with what goes wrong in it, and what its client does afterwards."""
        changes: dict[str, object] = {"after": self.dice.choice(PAUSES)}
        if act.kind in CALLS or (act.kind in CHECKS and alone):
            changes |= self._draw_faults(act, alone=alone)
        first = _with(act, changes)
        acts = [first]
        went_wrong = first.dies or first.fault or first.store or first.meanwhile
        while went_wrong and first.kind in (*CALLS, "webhook") and self.happens(0.55):
            acts.append(self._retry(first, alone=alone))
        if went_wrong and self.happens(0.3):
            check = self._draw_act(self.dice.choice(("sync", "sync", "sweep")), act.payment)
            acts.append(_with(check, {"after": self.dice.choice(PAUSES)}))
        return acts

    def _retry(self, act: PlannedAct, *, alone: bool) -> PlannedAct:
        """The client repeats its request: mostly the same bytes, sometimes with another card."""
        clean: dict[str, object] = {
            "after": self.dice.choice(PAUSES),
            "dies": "",
            "hard": False,
            "at": "",
            "meanwhile": (),
            "fault": "",
            "times": 1,
            "late": 0,
            "store": "",
        }
        if act.kind == "confirm" and self.happens(0.4):
            clean |= {"card": self.dice.choice(CARDS), "key": f"k{self.next_number()}"}
        if self.happens(0.25):
            clean |= self._draw_faults(act, alone=alone)
        return _with(act, clean)

    def _draw_faults(self, act: PlannedAct, *, alone: bool) -> dict[str, object]:
        """What goes wrong in an act, as fields of `PlannedAct`. `alone`: there is one payment."""
        is_check = act.kind in CHECKS
        roll = self.dice.random()
        if roll < 0.2:
            point = self.dice.choice(
                ("fetched", "committing", "saving", "committed") if is_check else POINTS
            )
            return {"dies": point, "hard": self.happens(0.03)}
        if roll < 0.42:
            if not is_check and self.happens(0.4):
                return {"fault": "drop_before", "times": 2, "late": self.dice.randint(1, 58)}
            kind = self.dice.choice(LOST if self.happens(0.75) else TURNED_AWAY)
            fault: dict[str, object] = {"fault": kind, "times": self.dice.choice((1, 2, 2))}
            return fault | ({"dies": self.dice.choice(POINTS)} if self.happens(0.15) else {})
        if roll < 0.66 and alone:
            point = self.dice.choice(
                ("fetched", "fetched", "committing", "saving") if is_check else POINTS
            )
            count = self.dice.choice((1, 1, 2, 3))
            others = tuple(self._bystander(act) for _ in range(count))
            race: dict[str, object] = {"at": point, "meanwhile": others}
            return race | ({"fault": "429"} if not is_check and self.happens(0.2) else {})
        if roll < 0.7:
            return {"store": self.dice.choice(STORE)}
        return {}

    def _bystander(self, act: PlannedAct) -> PlannedAct:
        """What another actor does while a worker stands at a crash point. It may die too."""
        kinds = (*CALLS[1:], *CHECKS, *CHECKS, "customer", "customer", "dashboard", act.kind)
        kind = self.dice.choice(kinds)
        if kind == act.kind and kind in CALLS and self.happens(0.6):
            return _with(act, {"after": self.dice.choice((1, 2, 4))})  # from a second tab
        other = self._draw_act("sync" if kind == "create" else kind, act.payment)
        dies = self.dice.choice(POINTS) if kind in CALLS and self.happens(0.2) else ""
        return _with(other, {"after": self.dice.choice((1, 2, 4, 9)), "dies": dies})


def _with(act: PlannedAct, changes: dict[str, object]) -> PlannedAct:
    values = {each.name: getattr(act, each.name) for each in fields(act)}
    return PlannedAct(**(values | changes))


def draw(seed: int) -> Schedule:
    """The schedule of a seed."""
    return Drawing(seed).schedule()
