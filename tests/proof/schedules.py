"""What happens in one schedule, drawn from its seed: who does what, what is lost, who dies where.

A schedule is data. The same seed gives the same schedule; names, never ids, stand in it.
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
FORGED = ("forged_body", "forged_signature")  # the SDK knows nothing of our clock, so no age
AT_THE_BANK = ("confirm", "customer", "sync", "sweep", "update", "cancel")
TOTAL = 5000


@dataclass(frozen=True)
class Step:
    """One actor's act on one payment, `after` so many seconds of quiet.

    `amount` of a webhook: which event it brings, counted from the newest; so events come late,
    twice, in any order, or never.

    `key`: the client's idempotency key, by a name. `dies`: the worker is killed at this point;
    `hard`: as a process of its own. While it stands at the point `at`, the acts of `meanwhile`
    happen; in the act "together" they run at once, in threads. `fault`: what the provider's next
    answers suffer, `late` seconds: the request is lost, and lands so much later. `store`: what
    DynamoDB's next answer suffers.
    """

    act: str
    payment: int = 0
    key: str = ""
    card: str = ""
    amount: int | None = None
    after: int = 3
    dies: str = ""
    hard: bool = False
    at: str = ""
    meanwhile: tuple["Step", ...] = ()
    fault: str = ""
    times: int = 1
    late: int = 0
    store: str = ""

    def __str__(self) -> str:
        """Only what it has: `refund key=k4 amount=104 after=3 dies=locked`."""
        told = [self.act]
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name in ("act", "meanwhile") or value == each.default:
                continue
            told.append(f"{each.name}={value}")
        inner = "; ".join(map(str, self.meanwhile))
        return " ".join(told) + (f" {{ {inner} }}" if inner else "")


@dataclass(frozen=True)
class Schedule:
    """Payment by payment: `manual`, whether money is held first and captured by a call; `saves`,
    whether the method that pays is to stay with the customer."""

    seed: int
    manual: tuple[bool, ...]
    saves: tuple[bool, ...]
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        lines = [f"  {number}. {each}" for number, each in enumerate(self.steps)]
        return "\n".join([f"seed {self.seed}, manual={self.manual}, saves={self.saves}", *lines])


@dataclass
class Drawing:
    """The dice of one schedule, and the keys and amounts that it has used.

    Every refund has an amount of its own, so that money that went back twice is seen as that.
    """

    seed: int
    dice: Random = field(init=False)
    used: int = 0
    calls: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = Random(self.seed)

    def happens(self, chance: float) -> bool:
        return self.dice.random() < chance

    def fresh(self) -> int:
        self.used += 1
        return self.used

    def schedule(self) -> Schedule:
        payments = 2 if self.happens(0.06) else 1
        manual = tuple(self.happens(0.35) for _ in range(payments))
        saves = tuple(self.happens(0.3) for _ in range(payments))
        steps: list[Step] = []
        for number in range(payments):
            steps += self._life(number, manual=manual[number], alone=payments == 1)
        return Schedule(self.seed, manual, saves, tuple(steps))

    def _life(self, payment: int, *, manual: bool, alone: bool) -> list[Step]:
        """A payment as it mostly goes, with other acts in between; each may go wrong."""
        if alone and self.happens(0.2):
            return self._at_the_bank(payment)
        acts = ["create", "confirm"]
        if manual:
            acts.append("cancel" if self.happens(0.2) else "capture")
        acts += ["refund"] * self.dice.choice((0, 0, 1, 1, 2, 3))
        for _ in range(self.dice.choice((0, 1, 1, 2, 2, 3, 4))):
            act = self.dice.choice(("confirm", "update", "cancel", "capture", "refund", "sync"))
            other = self.dice.choice((act, *CHECKS, "webhook", "customer", "dashboard"))
            acts.insert(self.dice.randint(1, len(acts)), other)
        steps: list[Step] = []
        for act in acts:
            steps += self._harmed(self._step(act, payment), alone=alone)
            if act != "create" and alone and self.happens(0.03):
                steps.append(self._together(payment))
        return steps

    def _at_the_bank(self, payment: int) -> list[Step]:
        """3-D Secure, with a customer who comes and goes while we look."""
        if self.happens(0.3):
            return self.dice.choice((self._to_and_fro, self._overtaken))(payment)
        more = (*AT_THE_BANK, "customer", "customer", "sync", "webhook")
        acts = ["create", "confirm", *self.dice.choices(more, k=self.dice.randint(4, 8))]
        steps: list[Step] = []
        for act in acts:
            made = self._step(act, payment)
            if made.card and self.happens(0.8):
                made = _with(made, {"card": "threeDSecure2Required"})
            if act == "sync" and self.happens(0.4):
                by = tuple(self._step(each, payment) for each in ("customer", "sync"))
                others = tuple(_with(each, {"after": 2}) for each in by)
                steps.append(_with(made, {"at": "fetched", "meanwhile": others}))
            else:
                steps += self._harmed(made, alone=True)
        return steps

    def _to_and_fro(self, payment: int) -> list[Step]:
        """The provider's state leaves and comes back while a look stands still (rule 6)."""
        card = "threeDSecure2Required"
        opens, drops = Step("confirms", payment, card=card), Step("drops", payment, after=2)
        confirm = _with(self._step("confirm", payment), {"card": card})
        begun = [self._step("create", payment), confirm]
        looks = [Step(act, payment) for act in self.dice.choices(("sync", "webhook"), k=3)]
        slow = _with(looks[1], {"at": "fetched", "meanwhile": (drops, looks[2])})
        last = self._step(self.dice.choice(("customer", "cancel", "sync")), payment)
        return [*begun, drops, looks[0], opens, slow, last]

    def _overtaken(self, payment: int) -> list[Step]:
        """Our request is still to land while the customer pays by himself (rule 12)."""
        begun = [self._step("create", payment), self._step("confirm", payment)]
        late = {"fault": "drop_before", "times": 2, "late": self.dice.randint(20, 58)}
        browser = Step("confirms", payment, card=self.dice.choice(CARDS))
        looks = [self._step(act, payment) for act in self.dice.choices(CHECKS, k=2)]
        return [begun[0], _with(begun[1], late), browser, *looks, self._step("sync", payment)]

    def _together(self, payment: int) -> Step:
        """Several at once, in threads: this alone does not replay to the letter."""
        acts = self.dice.choices((*CALLS[1:], *CHECKS), k=self.dice.randint(2, 4))
        steps = [self._step(act, payment) for act in acts]
        dies = self.dice.choice(POINTS) if self.happens(0.3) else ""
        twice = (steps[0], *steps[:-1], _with(steps[-1], {"dies": dies}))
        return Step("together", payment, meanwhile=twice)

    def _step(self, act: str, payment: int) -> Step:
        """One act of an actor who knows nothing of the others."""
        number = self.fresh()
        key = f"k{number}" if act != "update" and self.happens(0.75) else ""
        match act:
            case "create":
                return Step(act, payment, key=f"k{number}", amount=TOTAL)
            case "confirm":
                card = self.dice.choice(CARDS)
                return Step(act, payment, key=key, card=card)
            case "update":
                return Step(act, payment, amount=TOTAL + number)
            case "capture":
                part = TOTAL // 2 + number if self.happens(0.4) else None
                return Step(act, payment, key=key, amount=part)
            case "refund":
                amount = 200 + number + (self.dice.choice((0, 0, 1200, 2200)))
                return Step(act, payment, key=f"k{number}", amount=amount)
            case "customer":
                what = self.dice.choice(("finishes", "drops", "drops", "confirms"))
                return Step(what, payment, card=self.dice.choice(CARDS))
            case "dashboard":
                what = self.dice.choice(("refund", "refund", "capture", "cancel", "dispute"))
                given = 300 + number if what == "refund" else None
                return Step(f"dashboard_{what}", payment, amount=given)
            case "webhook":
                which = self.dice.choice((0, 0, 0, 1, 1, 2, 3, 5))
                name = self.dice.choice(FORGED) if self.happens(0.06) else act
                return Step(name, payment, amount=which)
            case _:
                return Step(act, payment, key=key if act == "cancel" else "")

    def _harmed(self, step: Step, *, alone: bool) -> list[Step]:
        """The step with what goes wrong in it, and what its client does afterwards."""
        changes: dict[str, object] = {"after": self.dice.choice(PAUSES)}
        if step.act in CALLS or (step.act in CHECKS and alone):
            changes |= self._harm(step, alone=alone)
        made = _with(step, changes)
        after = [made]
        went_wrong = made.dies or made.fault or made.store or made.meanwhile
        while went_wrong and made.act in (*CALLS, "webhook") and self.happens(0.55):
            after.append(self._again(made, alone=alone))
        if went_wrong and self.happens(0.3):
            look = self._step(self.dice.choice(("sync", "sync", "sweep")), step.payment)
            after.append(_with(look, {"after": self.dice.choice(PAUSES)}))
        return after

    def _again(self, step: Step, *, alone: bool) -> Step:
        """The client repeats its request: mostly to the byte, sometimes with another card."""
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
        if step.act == "confirm" and self.happens(0.4):
            clean |= {"card": self.dice.choice(CARDS), "key": f"k{self.fresh()}"}
        if self.happens(0.25):
            clean |= self._harm(step, alone=alone)
        return _with(step, clean)

    def _harm(self, step: Step, *, alone: bool) -> dict[str, object]:
        looks = step.act in CHECKS
        roll = self.dice.random()
        if roll < 0.2:
            point = self.dice.choice(
                ("fetched", "committing", "saving", "committed") if looks else POINTS
            )
            return {"dies": point, "hard": self.happens(0.03)}
        if roll < 0.42:
            if not looks and self.happens(0.4):
                return {"fault": "drop_before", "times": 2, "late": self.dice.randint(1, 58)}
            kind = self.dice.choice(LOST if self.happens(0.75) else TURNED_AWAY)
            harm: dict[str, object] = {"fault": kind, "times": self.dice.choice((1, 2, 2))}
            return harm | ({"dies": self.dice.choice(POINTS)} if self.happens(0.15) else {})
        if roll < 0.66 and alone:
            point = self.dice.choice(
                ("fetched", "fetched", "committing", "saving") if looks else POINTS
            )
            count = self.dice.choice((1, 1, 2, 3))
            others = tuple(self._bystander(step) for _ in range(count))
            met: dict[str, object] = {"at": point, "meanwhile": others}
            return met | ({"fault": "429"} if not looks and self.happens(0.2) else {})
        if roll < 0.7:
            return {"store": self.dice.choice(STORE)}
        return {}

    def _bystander(self, step: Step) -> Step:
        """What another actor does while one stands at a point: it may die, too."""
        kinds = (*CALLS[1:], *CHECKS, *CHECKS, "customer", "customer", "dashboard", step.act)
        act = self.dice.choice(kinds)
        if act == step.act and act in CALLS and self.happens(0.6):
            return _with(step, {"after": self.dice.choice((1, 2, 4))})  # from a second tab
        made = self._step("sync" if act == "create" else act, step.payment)
        dies = self.dice.choice(POINTS) if act in CALLS and self.happens(0.2) else ""
        return _with(made, {"after": self.dice.choice((1, 2, 4, 9)), "dies": dies})


def _with(step: Step, changes: dict[str, object]) -> Step:
    values = {each.name: getattr(step, each.name) for each in fields(step)}
    return Step(**(values | changes))


def draw(seed: int) -> Schedule:
    return Drawing(seed).schedule()
