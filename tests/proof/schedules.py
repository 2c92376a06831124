"""What a schedule is: data that says who does what, what is lost, and which worker dies where.

A schedule contains names, never ids. `drawing.py` draws one from a seed, `play.py` plays it.
Source: docs/payment-correctness.md, section 10.
"""

from dataclasses import dataclass, field, fields
from typing import Literal

Mode = Literal["webhooks", "event_log", "reconciliation", "sweep"]
MODES: tuple[Mode, ...] = ("webhooks", "event_log", "reconciliation", "sweep")


@dataclass(frozen=True)
class PlannedAct:
    """One act on one payment, which happens after a pause.

    - `kind`: a key of `acts.ACTS`. `payment`: the payment's number in the schedule.
    - `key`: the client's idempotency key, by a name. `card`: the payment method, by a name.
    - `amount`: in cents. Of a webhook: which event it delivers, counted from the newest. So events
      come late, twice and in any order. Of an outage: its seconds.
    - `after`: the pause before it, in seconds.
    - `dies`: the crash point at which the worker is killed. `hard`: as a process of its own.
    - `at`, `meanwhile`: while the worker stands at the crash point `at`, these acts happen. In the
      act "together" they run at once, in threads.
    - `fault`, `times`: what goes wrong with the provider's next answers, and how often.
    - `late`: the request is lost, and arrives so many seconds later.
    - `store`: what goes wrong around the worker: with DynamoDB, its index, or SSM.
    - `skew`: by how many seconds the worker's clock is wrong.
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
    skew: float = 0

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

    def having(self, **changes: object) -> "PlannedAct":
        """The same act with other values."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return PlannedAct(**(values | changes))


@dataclass(frozen=True)
class Terms:
    """How one payment is made.

    `manual`: the money is authorized first and captured by a call. `saves`: the payment method is
    saved for the customer. `guest`: the payer is not signed in.
    """

    manual: bool = False
    saves: bool = False
    guest: bool = False
    currency: str = "USD"

    def __str__(self) -> str:
        names = [name for name in ("manual", "saves", "guest") if getattr(self, name)]
        return " ".join([self.currency, *names])


@dataclass(frozen=True)
class Schedule:
    """The acts of one seed, how each payment is made, and what the world is like.

    `mode`: by what we learn what happened at the provider; the sweep runs in every mode.
    `cascades`: a customer's deletion hides the payments too. `late_s`: how many seconds the bank
    takes to end a refund or a debit that is not done at once.
    """

    seed: int
    mode: Mode
    terms: tuple[Terms, ...]
    acts: tuple[PlannedAct, ...] = field(default=())
    cascades: bool = False
    late_s: int = 60

    def __str__(self) -> str:
        lines = [f"  {number}. {each}" for number, each in enumerate(self.acts)]
        terms = ", ".join(map(str, self.terms))
        more = f"cascades={self.cascades}, late_s={self.late_s}"
        return "\n".join([f"seed {self.seed}, {self.mode}: {terms}; {more}", *lines])
