"""Deliver our events: each one reaches the bus at least once, in its payment's order.

The timeline is the outbox. The stream, the sweep and operators only trigger a delivery; what is
sent is read from the timeline. An event is not sent before the bus has taken the one before it of
the same payment. So subscribers get each event for the first time in order, and drop repeats by
(payment_id, seq, detail-type).

Source: docs/data-model.md, section 7; docs/payment-correctness.md, section 9.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from bridge import clock, queues
from bridge.core.rules import crash_points, scheduling, telemetry
from bridge.errors import TemporarilyUnavailable
from bridge.models.model import Model
from bridge.models.outbox import ChangedKey, Cursor, Event
from bridge.models.run_context import RunContext
from bridge.store import dynamodb
from bridge.store.payments import outbox_items

LATE_AFTER_S = 5 * 60
GIVE_UP_AFTER_S = 72 * 3600


class Delivered(Model, frozen=True, kw_only=True):
    """What a run did.

    `events`: how many were sent, repeats included. The others count payments. `deferred`: the bus
    did not take their next event. `retries_exhausted`: those of them that are not tried any more.
    `left`: the run had no time for them.
    """

    events: int
    deferred: int
    retries_exhausted: int
    left: int


class _Backlog(Struct):
    """The events of one payment that are not delivered yet, in their order.

    `last`: the last timeline entry that was read. `is_stuck`: the bus did not take the first event
    that waits. `may_have_more`: only the first page of entries was read.
    """

    cursor: Cursor
    waiting: list[Event]
    last: int
    may_have_more: bool
    is_stuck: bool = False

    @property
    def sent(self) -> int:
        """Up to which entry the bus has all events."""
        return self.waiting[0].sequence - 1 if self.waiting else self.last

    @property
    def has_work(self) -> bool:
        """Whether there is an event to send, or the cursor must be moved on."""
        return bool(self.waiting) or self.may_have_more or self.cursor.due_at is not None


def handle_trigger(changed: Iterable[ChangedKey], run: RunContext) -> Delivered:
    """Deliver the events of the payments whose keys the stream says have changed.

    If the bus takes an event later, the due entry of its cursor takes care of that, so a batch is
    never reported as failed in part. Raises TemporarilyUnavailable if the time was over or even
    the due entry could not be written. Lambda then brings the whole batch again; what was delivered
    is not waiting any more.
    """
    delivered = deliver(outbox_items.payments_of(changed), run)
    if delivered.left:
        raise TemporarilyUnavailable("there was no time to deliver them all")
    return delivered


def deliver(payment_ids: Sequence[str], run: RunContext) -> Delivered:
    """Deliver all waiting events of these payments. Raises TemporarilyUnavailable.

    Once the bus has failed, this run does not call it again: the rest is deferred at once.
    """
    counts, is_down = Counter[str](), False
    for start in range(0, len(payment_ids), queues.EVENTS_AT_ONCE):
        group = payment_ids[start : start + queues.EVENTS_AT_ONCE]
        if not scheduling.has_time(run):
            counts["left"] += len(group)
        else:
            is_down = _deliver_together(group, run, counts, is_down=is_down)
    return Delivered(**{name: counts[name] for name in Delivered.__struct_fields__})


def replay(payment_id: str, sequence: int, run: RunContext) -> Delivered:
    """Deliver the events of a payment again, beginning with this sequence number.

    If an earlier event was never delivered, begin with that one. Raises TemporarilyUnavailable.
    """
    for _ in range(scheduling.WRITE_TRIES):
        seen = outbox_items.get_cursor(payment_id)
        # Due at once: should this run end here, the sweep does the rest.
        rewound = {"sent": min(seen.sent, sequence - 1), "due_at": clock.seconds()}
        reset = rewound | {"failing_since": None, "retries_exhausted": False}
        try:
            outbox_items.move(seen, replace(seen, **reset))
        except dynamodb.VersionConflict:
            continue
        crash_points.reach("rewound", payment_id)
        return deliver([payment_id], run)
    raise TemporarilyUnavailable("others are delivering these events")


def _deliver_together(
    group: Sequence[str], run: RunContext, counts: Counter[str], *, is_down: bool
) -> bool:
    """Deliver for a few payments and move their cursors. Returns whether the bus has failed.

    If another run has moved a cursor, read it again and repeat: that run may have read the
    timeline before our newest event was in it.
    """
    for _ in range(scheduling.WRITE_TRIES):
        backlogs = [_read_backlog(payment_id) for payment_id in group]
        backlogs = [each for each in backlogs if each.has_work]
        is_down = _send(backlogs, run, counts, is_down=is_down)
        group = [each.cursor.payment_id for each in backlogs if not _move_cursor(each, counts)]
        if not group:
            return is_down
    raise TemporarilyUnavailable("others are delivering these events")


def _read_backlog(payment_id: str) -> _Backlog:
    cursor = outbox_items.get_cursor(payment_id)
    entries = outbox_items.list_after(cursor)
    waiting = [event for entry in entries for event in entry.events]
    last = entries[-1].sequence if entries else cursor.sent
    return _Backlog(cursor, waiting, last, may_have_more=len(entries) == outbox_items.PAGE)


def _send(
    backlogs: list[_Backlog], run: RunContext, counts: Counter[str], *, is_down: bool
) -> bool:
    """Send the first event of every payment, then the second ones, and so on.

    Ends when none can be sent any more, or the time is over. Returns whether the bus has failed.
    """
    while ready := [each for each in backlogs if each.waiting and not each.is_stuck]:
        if not scheduling.has_time(run):
            return is_down
        try:
            results = [False] * len(ready)
            if not is_down:
                results = queues.put_events([each.waiting[0] for each in ready])
        except queues.BusUnavailable as error:
            is_down = True
            telemetry.log.warning("event bus unavailable", reason=str(error))
        for backlog, is_taken in zip(ready, results, strict=True):
            backlog.is_stuck = not is_taken
            if is_taken:
                counts["events"] += 1
                backlog.waiting.pop(0)
    return is_down


def _move_cursor(backlog: _Backlog, counts: Counter[str]) -> bool:
    """Move the cursor to what was sent. Returns False if another run has moved it meanwhile."""
    crash_points.reach("delivered", backlog.cursor.payment_id)
    changes: dict[str, int | bool | None] = {
        "due_at": None,
        "failing_since": None,
        "retries_exhausted": False,
    }
    if backlog.is_stuck:
        changes |= _defer(backlog)
    elif backlog.may_have_more or backlog.waiting:
        changes |= {"due_at": clock.seconds()}  # the sweep goes on with the rest
    moved = replace(backlog.cursor, **(changes | {"sent": backlog.sent}))
    try:
        outbox_items.move(backlog.cursor, moved)
    except dynamodb.VersionConflict:
        return False
    counts["deferred"] += backlog.is_stuck
    counts["retries_exhausted"] += moved.retries_exhausted
    return True


def _defer(backlog: _Backlog) -> dict[str, int | bool | None]:
    """When the sweep tries again, as changes of the cursor.

    After three days there are no more tries until a new event or an operator triggers one.
    """
    now, payment_id = clock.seconds(), backlog.cursor.payment_id
    has_progress = backlog.sent > backlog.cursor.sent
    since = now if has_progress else backlog.cursor.failing_since or now
    telemetry.log.warning(
        "event not delivered",
        payment_id=payment_id,
        sequence=backlog.waiting[0].sequence,
        failing_s=now - since,
    )
    if now - since >= LATE_AFTER_S:
        telemetry.measure("undelivered_events", len(backlog.waiting))
    if now - since >= GIVE_UP_AFTER_S:
        telemetry.log.error("event retries exhausted", payment_id=payment_id)
        telemetry.measure("events_retries_exhausted")
        return {"failing_since": since, "retries_exhausted": True}
    return {"failing_since": since, "due_at": scheduling.next_try(since, now)}
