"""What runs by itself between the acts, in the order of simulated time.

The queue's messages, the sweep, the jobs, and by what a schedule's mode says that we learn of
changes: webhooks, the provider's event log, the daily comparison, or nothing but the sweep. Time
jumps from one moment at which something happens to the next one.
Source: docs/payment-correctness.md, sections 7 and 8.
"""

import heapq
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Any

from moto.sqs.models import sqs_backends

from bridge.core.workers import deletion, event_log, queue_messages, reconciliation, sweep
from bridge.models.payment import Payment
from bridge.models.queue_message import MethodEventReference, WebhookEventReference
from bridge.models.run_context import RunContext
from bridge.providers import registry
from bridge.store import dynamodb, keys
from bridge.store.payments import payment_items
from local.functions import ACCOUNT, REGION
from local.stripe.resources.event import Event

if TYPE_CHECKING:
    from tests.proof.play import Play

MINUTE, HOUR, DAY = 60, 3600, 24 * 3600
VISIBLE_AGAIN_S = 360  # a message whose worker died comes again
REDRIVEN_S = 3 * HOUR  # eight tries, and then an operator who sees the alarm
DELIVERY_POINTS = ("event_received", "method_fetched", "fetched", "committing", "committed")
DELETION_POINTS = ("paged", "detached", "hidden")
MATURE_S = 120  # the event log's newest events are left to the next run
JOBS = 3000  # more of them in one wait are a loop without end

Job = Callable[[], None]


@dataclass
class Machinery:
    """The agenda of a schedule, and what has been put on it so far.

    `pending`: by the provider's id of a payment, how many of its events were not handled yet.
    `index`: the index of what is due as it was before the last time it was read.
    """

    play: "Play"
    dice: Random = field(init=False)
    pending: Counter[str] = field(default_factory=Counter)
    index: list[dict[str, Any]] = field(default_factory=list)
    _read: dict[keys.Key, dict[str, Any]] | None = None
    _due: list[dict[str, Any]] = field(default_factory=list)
    _agenda: list[tuple[float, int, Job]] = field(default_factory=list)
    _turns: "count[int]" = field(default_factory=count)
    _events: int = 0
    _swept_at: float = 0
    _compared: int = 0

    def __post_init__(self) -> None:
        self.dice = Random(f"machinery of {self.play.schedule.seed}")
        self._swept_at = self.play.now

    def later(self, seconds: float, job: Job) -> None:
        """Put something on the agenda."""
        heapq.heappush(self._agenda, (self.play.now + seconds, next(self._turns), job))

    def queue(self, delay_s: float, body: dict[str, Any]) -> None:
        """Put a message of the queue on the agenda."""
        self.later(delay_s, partial(self._handle, body))

    def run_until(self, until: float) -> None:
        """Let everything happen that happens by then, each at its own moment."""
        for _ in range(JOBS):
            self.collect()
            at, job = self._next()
            if at > until:
                return
            self.play.set_clock(at)
            job()
            self.changed()
            self.play.check(self.play)
        self.play.wrong.append(f"more than {JOBS} jobs in one wait")

    def changed(self) -> None:
        """An act or a job may have changed what is stored."""
        self._read = None

    def _next(self) -> tuple[float, Job]:
        """The next moment, and what happens then."""
        first = self._agenda[0][0] if self._agenda else float("inf")
        jobs: list[tuple[float, Job]] = [(first, self._take)]
        if by_itself := self.play.stripe.world._due:
            jobs.append((by_itself[0][0], lambda: None))  # it acts once its clock has moved
        if (due := self._due_at()) is not None:
            swept = max(due, self._swept_at + 1)
            jobs.append((_whole(swept, MINUTE), self._sweep))
        if self._compared < self._version() and self.play.schedule.mode == "event_log":
            jobs.append((_whole(self.play.now + 1, HOUR), self._read_event_log))
        if self._compared < self._version() and self.play.schedule.mode == "reconciliation":
            jobs.append((_whole(self.play.now + 1, DAY), self._reconcile))
        return min(jobs, key=lambda each: each[0])

    def _take(self) -> None:
        heapq.heappop(self._agenda)[2]()

    def _version(self) -> int:
        return len(self.play.stripe.world.events)

    def begin(self) -> None:
        """The first runs of the stack: from then on the provider's lists are read."""
        if self.play.schedule.mode == "event_log":
            self._read_event_log()
        if self.play.schedule.mode == "reconciliation":
            self._reconcile()

    # What is due

    def rows(self) -> list[Payment | None]:
        """The rows of this schedule's payments. They are read once after each act and job."""
        stored = self._stored()
        return [payment_items.payment_from(stored.get(keys.payment(e))) for e in self.play.made]

    def due(self) -> list[dict[str, Any]]:
        """The items of this schedule in the index of what is due."""
        self._stored()
        return self._due

    def _stored(self) -> dict[keys.Key, dict[str, Any]]:
        if self._read is None:
            kinds = (keys.payment, keys.event_counter, keys.event_cursor)
            found = dynamodb.get_all([kind(it) for it in self.play.made for kind in kinds])
            self._read = {key: item for key, item in found.items() if item}
            names = ("pk", "sk", "due_pk", "due_at")
            stored = self._read.values()
            due = [{name: it[name] for name in names} for it in stored if "due_pk" in it]
            if due != self._due:
                self.index, self._due = self._due, due
        return self._read

    def _due_at(self) -> int | None:
        return min((int(each["due_at"]) for each in self.due()), default=None)

    # Workers

    def _sweep(self) -> None:
        """The minute's sweep."""
        self._swept_at = self.play.now
        self.play.work("sweep", sweep.sweep)

    def _reconcile(self) -> None:
        """The daily comparison with the provider's lists."""
        compared = self._version()
        if self.play.work("reconciliation", reconciliation.reconcile):
            self._compared = compared

    def _read_event_log(self) -> None:
        """The hourly walk through the provider's event log, but for its newest minutes."""
        until = self.play.now - MATURE_S
        compared = sum(e.created <= until for e in self.play.stripe.world.events.values())
        if self.play.work("event_log", event_log.read):
            self._compared = compared

    def work_on_jobs(self) -> None:
        """The rest of a deletion, until nothing of it is left."""

        def finish(run: RunContext) -> None:
            if deletion.finish_due(run, pause=lambda _: None).finished == 0:
                self.later(self.dice.choice((2 * HOUR, DAY)), self.work_on_jobs)

        dies = self.dice.choice(DELETION_POINTS) if self.dice.random() < 0.4 else ""
        if not self.play.work("sweep", finish, dies):
            self.later(HOUR, self.work_on_jobs)

    # Messages

    def collect(self) -> None:
        """Put on the agenda what was queued, and in their mode the webhooks of new events."""
        for delay_s, body in take_messages():
            self.queue(delay_s, body)
        if len(self.play.stripe.world.events) > self._events:
            events = list(self.play.stripe.world.events.values())[self._events :]
            self._events += len(events)
            if self.play.schedule.mode == "webhooks":
                self._send(events)

    def _handle(self, body: dict[str, Any]) -> None:
        self.play.work("webhook", partial(queue_messages.handle, queue_messages.read(body)))

    def _send(self, events: list[Event]) -> None:
        """Webhooks come late, twice, all in one second, or at last as redriven dead letters."""
        at_once = self.dice.choice((1, 1, 2, 30)) if self.dice.random() < 0.3 else 0
        for event in events:
            payment = payment_of(event)
            self.pending[payment] += 1
            roll = self.dice.random()
            delay_s = at_once or self.dice.choice((0.2, 1, 2, 4))
            if roll < 0.1 and not at_once:
                delay_s = self.dice.choice((20, 90, 600))
            if roll > 0.98:
                delay_s = REDRIVEN_S
                self.play.meet("dead letter")
            self.later(delay_s, partial(self._deliver, event, is_first=True))
            if self.dice.random() < 0.1:
                twice_s = delay_s + self.dice.choice((0, 0, 1, 30, HOUR))
                self.later(twice_s, partial(self._deliver, event))

    def _deliver(self, event: Event, *, is_first: bool = False) -> None:
        """Deliver one event. If its worker dies or fails, its message comes again."""
        dies = self.dice.choice(DELIVERY_POINTS) if self.dice.random() < 0.04 else ""
        self._meet(event, is_first=is_first)
        if self.play.work("webhook", partial(handle_event, self.play, event.id), dies):
            self.pending[payment_of(event)] -= is_first
        else:
            self.play.meet("redelivery")
            self.later(VISIBLE_AGAIN_S, partial(self._deliver, event, is_first=is_first))

    def _meet(self, event: Event, *, is_first: bool) -> None:
        place = (payment_of(event), int(self.play.now))
        if self.play.last_delivery == place:
            self.play.meet("webhooks in one second")
        self.play.last_delivery = place
        if not is_first:
            self.play.meet("webhook twice")
        if event.idempotency_key in self.play.unanswered():
            self.play.meet("webhook before our own answer is stored")


def take_messages() -> list[tuple[int, dict[str, Any]]]:
    """Take all messages from the queues: in how many seconds each is visible, and its body."""
    taken = []
    for queue in sqs_backends[ACCOUNT][REGION].queues.values():
        with queue._messages_lock:
            messages = list(queue._messages)
            queue._messages.clear()
        for each in messages:
            delay_s = max(0, each.delayed_until - (each.sent_timestamp or 0)) / 1000
            taken.append((round(delay_s), json.loads(each.body)))
    return taken


def read_event(play: "Play", event_id: str) -> WebhookEventReference | MethodEventReference | None:
    """What our webhook function reads in an event that Stripe signed."""
    raw, signature = play.stripe.webhooks.signed(event_id)
    return registry.open_provider("stripe").read_event({"stripe-signature": signature}, raw)


def handle_event(play: "Play", event_id: str, run: RunContext) -> None:
    """Handle an event as our queue worker does."""
    reference = read_event(play, event_id)
    if isinstance(reference, MethodEventReference):
        queue_messages.handle(queue_messages.Message(method_event_reference=reference), run)
    elif reference:
        queue_messages.handle(queue_messages.Message(event_reference=reference), run)


def payment_of(event: Event) -> str:
    """The provider's id of the payment that an event is about."""
    return str(event.object.get("payment_intent") or event.object["id"])


def _whole(moment: float, unit: int) -> float:
    """The first whole minute, hour or day that is not before the moment."""
    return -(-moment // unit) * unit
