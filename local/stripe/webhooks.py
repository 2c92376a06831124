"""Webhooks: every event is sent to the endpoint, signed, until it answers 2xx.

Order is not promised: several threads send, and what fails comes again later. The switches make
it worse, as the network would. Source: Stripe, "Receive events in your webhook endpoint";
providers.md, sections D.1 and G.
"""

import heapq
import itertools
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from random import Random

import urllib3

from local.stripe.resources.event import Event
from local.stripe.resources.json import Json
from local.stripe.signing import TAMPERS, Tamper, forge
from local.stripe.world import World

PAUSES = (0, 60, 300, 1800, 7200, 18_000, 36_000)
"""Seconds on the simulated clock before each further try; then the last again and again."""
GIVEN_UP_AFTER = 3 * 24 * 3600
ANSWER_WITHIN_S = 20.0
SENDERS = 4
SPREAD_S = 0.2
"""How far apart a reordered delivery may be held."""
TICK_S = 0.25
SHOWN = 200


@dataclass(frozen=True)
class Switches:
    """What goes wrong on the way.

    `duplicate`: further copies of each; `delay_ms`: before the first try; `drop`: the share that
    is lost for good, 0 to 1; `pause`: nothing is sent, all is kept; `seed` of what is random.
    """

    duplicate: int = 0
    reorder: bool = False
    delay_ms: int = 0
    drop: float = 0.0
    tamper: Tamper = ""
    pause: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if self.tamper not in TAMPERS:
            raise ValueError(f"tamper is one of {', '.join(TAMPERS[1:])}, or empty")
        if self.duplicate < 0 or self.delay_ms < 0 or not 0 <= self.drop <= 1:
            raise ValueError("duplicate and delay_ms are 0 or more, drop is 0 to 1")


NAMES = tuple(each.name for each in fields(Switches))


@dataclass(eq=False)
class Delivery:
    """`answers`: the status of each try, None where there was no answer."""

    event: Event
    state: str = "waiting"
    answers: list[int | None] = field(default_factory=list)


class Webhooks:
    """The endpoint, the switches and the deliveries. All of it under the world's lock."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._changed = threading.Condition(world.lock)
        self._turns = itertools.count()
        self._senders: list[threading.Thread] = []
        self._pool = urllib3.PoolManager(maxsize=SENDERS)
        self.url = ""
        self.secrets: tuple[str, ...] = ("whsec_simulator",)
        self._forget()

    def _forget(self) -> None:
        self.switches, self._random = Switches(), Random(0)
        self._waiting: list[tuple[float, int, Delivery]] = []
        self._ready: list[tuple[float, int, Delivery]] = []
        self._flying: list[Delivery] = []
        self._deliveries: dict[str, list[Delivery]] = {}

    def reset(self) -> None:
        """Forget the deliveries and the switches; the endpoint stays."""
        with self._changed:
            self._forget()

    def point(self, url: str, secrets: Sequence[str]) -> None:
        """Send events from now on to `url`; "" sends them nowhere. Two secrets sign twice."""
        if url and (not url.startswith(("http://", "https://")) or not secrets):
            raise ValueError("an endpoint is an http address and at least one secret")
        with self._changed:
            self.url, self.secrets = url, tuple(secrets)
        if url:
            self.start()
        else:
            self.stop()

    def switch(self, **changes: object) -> None:
        """Change some switches; the others stay. Raises TypeError or ValueError."""
        with self._changed:
            changed: Switches = replace(self.switches, **changes)  # type: ignore[arg-type]
            if changed.seed != self.switches.seed:
                self._random = Random(changed.seed)
            self.switches = changed
            self._changed.notify_all()

    def start(self) -> None:
        with self._changed:
            if self.url and not self._senders:
                self._senders = [
                    threading.Thread(target=self._send, daemon=True, name="webhooks")
                    for _ in range(SENDERS)
                ]
                for each in self._senders:
                    each.start()

    def stop(self) -> None:
        """What is under way ends by itself; the rest waits for the next start."""
        with self._changed:
            self._senders = []
            self._changed.notify_all()

    def wake(self) -> None:
        """The clock was moved: more may be due."""
        with self._changed:
            self._changed.notify_all()

    def take(self, event: Event) -> None:
        """An event has just happened."""
        if not self.url:
            return
        event.pending = 1
        for _ in range(1 + self.switches.duplicate):
            if self._random.random() < self.switches.drop:
                self._deliveries.setdefault(event.id, []).append(Delivery(event, "dropped"))
            else:
                self._add(event)

    def resend(self, identifier: str) -> int:
        """Send an event once more, or "all" of them; returns how many. Raises KeyError."""
        with self._changed:
            held = self._world.events
            chosen = list(held.values()) if identifier == "all" else [held[identifier]]
            for event in chosen:
                self._add(event)
            return len(chosen)

    def signed(self, identifier: str) -> tuple[bytes, str]:
        """Return the body and the Stripe-Signature of a delivery now, for whoever sends it."""
        with self._changed:
            return self._sealed(self._world.events[identifier])

    def is_quiet(self, timeout_s: float = 10.0) -> bool:
        """Wait until nothing is under way that comes without moving the clock.

        False when the time is over. What is paused, or waits to be tried again, is quiet.
        """
        until = time.monotonic() + timeout_s
        with self._changed:
            while self._is_busy():
                left = until - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(min(left, 0.02))
            return True

    def listed(self) -> list[Json]:
        """The newest events, newest last, and how their deliveries stand."""
        with self._changed:
            newest = list(self._world.events.values())[-SHOWN:]
            return [self._render(each) for each in newest]

    def render(self) -> Json:
        with self._changed:
            return {
                "url": self.url,
                "secrets": len(self.secrets),
                "quiet": not self._is_busy(),
                **asdict(self.switches),
            }

    def _render(self, event: Event) -> Json:
        tried = self._deliveries.get(event.id, [])
        states = list(dict.fromkeys(each.state for each in tried))
        return {
            "id": event.id,
            "type": event.type,
            "object": event.object["id"],
            "created": event.created,
            "status": ", ".join(states) or "not sent",
            "deliveries": [{"state": each.state, "answers": each.answers} for each in tried],
        }

    def _add(self, event: Event) -> None:
        delivery = Delivery(event)
        self._deliveries.setdefault(event.id, []).append(delivery)
        spread = self._random.uniform(0, SPREAD_S) if self.switches.reorder else 0.0
        self._wait(delivery, self.switches.delay_ms / 1000 + spread)

    def _wait(self, delivery: Delivery, seconds: float) -> None:
        due = self._world.now() + seconds
        heapq.heappush(self._waiting, (due, next(self._turns), delivery))
        self._changed.notify()

    def _is_busy(self) -> bool:
        if self._flying:
            return True
        if self.switches.pause or not self._senders:
            return False
        now = self._world.now()
        return bool(self._ready) or any(
            due <= now or not delivery.answers for due, _, delivery in self._waiting
        )

    def _send(self) -> None:
        """What one thread does until the simulator stops."""
        while (delivery := self._next()) is not None:
            answer = self._post(delivery)
            with self._changed:
                self._settle(delivery, answer)
                self._changed.notify_all()

    def _next(self) -> Delivery | None:
        """Wait for a delivery that is due, and let the world's clock run meanwhile."""
        with self._changed:
            while threading.current_thread() in self._senders:
                self._world.catch_up()
                if not self.switches.pause:
                    self._promote()
                    if self._ready:
                        delivery = heapq.heappop(self._ready)[2]
                        delivery.state = "sending"
                        self._flying.append(delivery)
                        return delivery
                self._changed.wait(self._lull())
            return None

    def _lull(self) -> float:
        """Seconds until there may be something to do without anybody saying so."""
        if self.switches.pause or not self._waiting:
            return TICK_S
        return min(max(self._waiting[0][0] - self._world.now(), 0.001), TICK_S)

    def _promote(self) -> None:
        """What is due lines up: by turns, or in any order."""
        while self._waiting and self._waiting[0][0] <= self._world.now():
            _, turn, delivery = heapq.heappop(self._waiting)
            rank = self._random.random() if self.switches.reorder else 0.0
            heapq.heappush(self._ready, (rank, turn, delivery))

    def _post(self, delivery: Delivery) -> int | None:
        with self._changed:
            url = self.url
            body, signature = self._sealed(delivery.event)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature,
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        try:
            return self._pool.request(
                "POST",
                url,
                body=body,
                headers=headers,
                timeout=ANSWER_WITHIN_S,
                retries=False,
                redirect=False,
            ).status
        except urllib3.exceptions.HTTPError:
            return None

    def _sealed(self, event: Event) -> tuple[bytes, str]:
        at = int(self._world.now())
        return forge(event.body, self.secrets, at, self.switches.tamper)

    def _settle(self, delivery: Delivery, answer: int | None) -> None:
        if delivery not in self._flying:
            return  # there was a reset meanwhile
        self._flying.remove(delivery)
        delivery.answers.append(answer)
        event = delivery.event
        if answer is not None and 200 <= answer < 300:
            delivery.state, event.pending = "delivered", 0
        elif self._world.now() - event.created > GIVEN_UP_AFTER:
            delivery.state = "given up"
        else:
            delivery.state = "waiting"
            pause = PAUSES[min(len(delivery.answers), len(PAUSES)) - 1]
            self._wait(delivery, pause)
