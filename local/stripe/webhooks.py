"""Webhooks: every event is sent to the endpoint, signed, until the endpoint answers 2xx.

The order is not fixed: several threads send, and a failed delivery is sent again later. The
switches add duplicates, delays and losses, like a network. Sources: Stripe, "Receive events in your
webhook endpoint"; docs/providers.md, sections D.1 and G.
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
"""Seconds on the simulated clock before each retry. The last one repeats."""
GIVEN_UP_AFTER = 3 * 24 * 3600
"""Seconds on the simulated clock. After them a failed delivery is not sent again."""

ANSWER_WITHIN_S = 20.0
SENDERS = 4
SPREAD_S = 0.2
"""The longest random delay of a delivery while `reorder` is on."""
TICK_S = 0.25
MAX_LISTED = 200


@dataclass(frozen=True)
class Switches:
    """What goes wrong between the simulator and the endpoint.

    `duplicate`: further copies of each event. `delay_ms`: before the first try. `drop`: the share
    of events that is lost for good, 0 to 1. `pause`: nothing is sent and everything is kept.
    `seed`: of all random choices. Raises ValueError for a value out of range.
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
    """One copy of an event on its way. `answers`: the status of each try, None for no response."""

    event: Event
    state: str = "waiting"
    answers: list[int | None] = field(default_factory=list)


class Webhooks:
    """The endpoint, the switches and the deliveries. All of it is under the lock of the world."""

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
        self._sending: list[Delivery] = []
        self._deliveries: dict[str, list[Delivery]] = {}

    def reset(self) -> None:
        """Forget the deliveries and the switches; the endpoint stays."""
        with self._changed:
            self._forget()

    def point(self, url: str, secrets: Sequence[str]) -> None:
        """Send new events to `url`; "" turns webhooks off. Two secrets sign twice.

        Raises ValueError for a URL that is not HTTP, or without a secret.
        """
        if url and (not url.startswith(("http://", "https://")) or not secrets):
            raise ValueError("an endpoint is an http address and at least one secret")
        with self._changed:
            self.url, self.secrets = url, tuple(secrets)
        if url:
            self.start()
        else:
            self.stop()

    def switch(self, **changes: object) -> None:
        """Change some switches; the others stay.

        Raises TypeError for an unknown switch, ValueError for a bad value.
        """
        with self._changed:
            changed: Switches = replace(self.switches, **changes)  # type: ignore[arg-type]
            if changed.seed != self.switches.seed:
                self._random = Random(changed.seed)
            self.switches = changed
            self._changed.notify_all()

    def start(self) -> None:
        """Start the threads that send, if there is an endpoint."""
        with self._changed:
            if self.url and not self._senders:
                self._senders = [
                    threading.Thread(target=self._send, daemon=True, name="webhooks")
                    for _ in range(SENDERS)
                ]
                for each in self._senders:
                    each.start()

    def stop(self) -> None:
        """Send nothing more. What is being sent now ends by itself; the rest waits for `start`."""
        with self._changed:
            self._senders = []
            self._changed.notify_all()

    def wake(self) -> None:
        """Look for due deliveries again, because the clock was moved."""
        with self._changed:
            self._changed.notify_all()

    def take(self, event: Event) -> None:
        """Queue the deliveries of a new event."""
        if not self.url:
            return
        event.pending = 1
        for _ in range(1 + self.switches.duplicate):
            if self._random.random() < self.switches.drop:
                self._deliveries.setdefault(event.id, []).append(Delivery(event, "dropped"))
            else:
                self._add(event)

    def resend(self, identifier: str) -> int:
        """Send an event again, or "all". Returns how many. Raises KeyError for an unknown id."""
        with self._changed:
            events = self._world.events
            chosen = list(events.values()) if identifier == "all" else [events[identifier]]
            for event in chosen:
                self._add(event)
            return len(chosen)

    def signed(self, identifier: str) -> tuple[bytes, str]:
        """Return body and Stripe-Signature of a delivery, for a test that sends it itself."""
        with self._changed:
            return self._sign(self._world.events[identifier])

    def is_quiet(self, timeout_s: float = 10.0) -> bool:
        """Wait until nothing more is sent unless the clock moves. False after the timeout.

        A paused delivery, or one that waits for its retry, counts as quiet.
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
        """The newest events, newest last, with the state of their deliveries."""
        with self._changed:
            newest = list(self._world.events.values())[-MAX_LISTED:]
            return [self._render(each) for each in newest]

    def render(self) -> Json:
        """The endpoint and the switches as JSON, without the secrets."""
        with self._changed:
            return {
                "url": self.url,
                "secrets": len(self.secrets),
                "quiet": not self._is_busy(),
                **asdict(self.switches),
            }

    def _render(self, event: Event) -> Json:
        deliveries = self._deliveries.get(event.id, [])
        states = list(dict.fromkeys(each.state for each in deliveries))
        return {
            "id": event.id,
            "type": event.type,
            "object": event.object["id"],
            "created": event.created,
            "status": ", ".join(states) or "not sent",
            "deliveries": [{"state": each.state, "answers": each.answers} for each in deliveries],
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
        if self._sending:
            return True
        if self.switches.pause or not self._senders:
            return False
        now = self._world.now()
        return bool(self._ready) or any(
            due <= now or not delivery.answers for due, _, delivery in self._waiting
        )

    def _send(self) -> None:
        """The loop of one thread, until the simulator stops."""
        while (delivery := self._next()) is not None:
            answer = self._post(delivery)
            with self._changed:
                self._settle(delivery, answer)
                self._changed.notify_all()

    def _next(self) -> Delivery | None:
        """Wait for a delivery that is due; also run what the simulated clock brings. None: stop."""
        with self._changed:
            while threading.current_thread() in self._senders:
                self._world.catch_up()
                if not self.switches.pause:
                    self._promote()
                    if self._ready:
                        delivery = heapq.heappop(self._ready)[2]
                        delivery.state = "sending"
                        self._sending.append(delivery)
                        return delivery
                self._changed.wait(self._seconds_to_wait())
            return None

    def _seconds_to_wait(self) -> float:
        """Seconds until something can be due by the clock alone."""
        if self.switches.pause or not self._waiting:
            return TICK_S
        return min(max(self._waiting[0][0] - self._world.now(), 0.001), TICK_S)

    def _promote(self) -> None:
        """Move due deliveries to the ready queue, in order or, with `reorder`, at random."""
        while self._waiting and self._waiting[0][0] <= self._world.now():
            _, turn, delivery = heapq.heappop(self._waiting)
            rank = self._random.random() if self.switches.reorder else 0.0
            heapq.heappush(self._ready, (rank, turn, delivery))

    def _post(self, delivery: Delivery) -> int | None:
        with self._changed:
            url = self.url
            body, signature = self._sign(delivery.event)
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

    def _sign(self, event: Event) -> tuple[bytes, str]:
        at = int(self._world.now())
        return forge(event.body, self.secrets, at, self.switches.tamper)

    def _settle(self, delivery: Delivery, answer: int | None) -> None:
        if delivery not in self._sending:
            return  # a reset removed it while it was sent
        self._sending.remove(delivery)
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
