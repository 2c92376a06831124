"""The state of the simulated Stripe account: its resources, its clock and one lock."""

import copy
import heapq
import itertools
import secrets
import string
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Protocol

from local.stripe.delays import Delays
from local.stripe.past import Past, payment_of
from local.stripe.resources.charge import Charge
from local.stripe.resources.customer import Customer
from local.stripe.resources.dispute import Dispute
from local.stripe.resources.event import Event
from local.stripe.resources.json import Json
from local.stripe.resources.payment_intent import PaymentIntent
from local.stripe.resources.payment_method import PaymentMethod
from local.stripe.resources.refund import Refund

RESOURCES = ("customers", "methods", "intents", "charges", "refunds", "disputes", "events")
REPLICATED = ("intents", "charges", "refunds", "disputes", "events")
"""What a read replica can be late with."""

ALPHABET = string.ascii_letters + string.digits


def random_text(length: int) -> str:
    """Random letters and digits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def new_id(prefix: str) -> str:
    """A fresh id like Stripe's: `pi_` and 24 characters."""
    return f"{prefix}_{random_text(24)}"


class Renderable(Protocol):
    """A resource of the account."""

    def render(self) -> Json: ...


@dataclass
class World:
    """Every operation runs under `lock`, because Stripe serialises the requests for one object.

    One lock for all objects is enough: nothing sleeps or sends while it holds the lock.
    `url`: where the simulator's pages are. `offset`: by how many seconds the clock was moved.
    `past`: the state before the newest write of the API. `cause`: (id, idempotency key) of the
    request that is served now, if there is one.
    """

    url: str = ""
    offset: float = 0.0
    lock: threading.RLock = field(default_factory=threading.RLock)
    customers: dict[str, Customer] = field(default_factory=dict)
    methods: dict[str, PaymentMethod] = field(default_factory=dict)
    intents: dict[str, PaymentIntent] = field(default_factory=dict)
    charges: dict[str, Charge] = field(default_factory=dict)
    refunds: dict[str, Refund] = field(default_factory=dict)
    disputes: dict[str, Dispute] = field(default_factory=dict)
    events: dict[str, Event] = field(default_factory=dict)
    delays: Delays = field(default_factory=Delays)
    past: Past | None = None
    cause: tuple[str | None, str | None] = (None, None)
    listeners: list[Callable[[Event], None]] = field(default_factory=list)
    _due: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _turns: Iterator[int] = field(default_factory=itertools.count)

    def now(self) -> float:
        """Unix time on the simulated clock."""
        return time.time() + self.offset

    def clear(self) -> None:
        """Remove everything, and set the clock and the delays back."""
        for name in RESOURCES:
            getattr(self, name).clear()
        self._due.clear()
        self.delays, self.past, self.offset = Delays(), None, 0.0

    def save(self) -> Callable[[], None]:
        """Keep a copy of everything. Returns what brings it back, as often as it is called."""
        names = (*RESOURCES, "_due", "delays", "past")
        kept = self._copy({name: getattr(self, name) for name in names})

        return lambda: vars(self).update(self._copy(kept))

    def _copy(self, contents: dict[str, Any]) -> dict[str, Any]:
        """A copy in one go, so that objects refer to copies; but what is due acts on this world."""
        return copy.deepcopy(contents, {id(self): self})

    def schedule(self, seconds: float, then: Callable[[], None]) -> None:
        """Run `then` under the lock, so many seconds later on the simulated clock."""
        heapq.heappush(self._due, (self.now() + seconds, next(self._turns), then))

    def catch_up(self) -> None:
        """Run what is due by now, in order."""
        while self._due and self._due[0][0] <= self.now():
            heapq.heappop(self._due)[2]()

    def begin_write(self, identifier: str | None) -> None:
        """Keep the state before a write to the payment with this id, or the id of its charge."""
        sizes = {name: len(getattr(self, name)) for name in REPLICATED}
        payment = payment_of(str(identifier), self.intents, self.charges)
        self.past = Past(self.now(), sizes, *payment)

    def before_newest_write(self, lag: float) -> "World":
        """Return the state before the newest write, or this one if that is `lag` seconds ago."""
        if self.past is None or self.past.at + lag < self.now():
            return self
        then: dict[str, Any] = {
            name: dict(islice(getattr(self, name).items(), size))
            for name, size in self.past.sizes.items()
        }
        then["intents"] |= self.past.intents
        then["charges"] |= self.past.charges
        return replace(self, **then)

    @contextmanager
    def caused_by(self, request_id: str, key: str | None) -> Iterator[None]:
        """Events inside the block are caused by this request."""
        self.cause = (request_id, key)
        try:
            yield
        finally:
            self.cause = (None, None)

    def emit(self, kind: str, resource: Renderable, before: Json | None = None) -> None:
        """Add an event about `resource`. `before`: its state before an update.

        An update that changed nothing makes no event.
        """
        current, previous = resource.render(), None
        if before is not None:
            previous = {name: was for name, was in before.items() if current.get(name) != was}
            if not previous:
                return
        event = Event(new_id("evt"), int(self.now()), kind, current, previous, *self.cause)
        self.events[event.id] = event
        for listener in self.listeners:
            listener(event)

    def rendered(self, identifier: str) -> Json | None:
        """Return the resource with this id as an expanded field has it, or None."""
        for resources in (
            self.intents,
            self.charges,
            self.refunds,
            self.methods,
            self.customers,
        ):
            found = resources.get(identifier)
            if found is not None:
                return found.render()
        return None

    def existing_customer(self, identifier: str) -> Customer | None:
        """Return the customer, or None if it is unknown or deleted."""
        found = self.customers.get(identifier)
        return None if found is None or found.deleted else found
