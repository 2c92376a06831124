"""Events out: every timeline entry reaches the bus at least once, in its payment's order.

The timeline is the outbox; the stream, the sweep and operators only ring. Of one payment no event
is sent before the bus has taken the one before it, so subscribers meet each for the first time in
order and drop repeats by (payment_id, seq). Source: design/data-model.md 7; convergence.md 9.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from bridge import clock, queues
from bridge.core.rules import crash_points, scheduling, telemetry
from bridge.errors import TemporarilyUnavailable
from bridge.models.outbox import ChangedKey, Cursor, Event
from bridge.models.run_context import RunContext
from bridge.store import dynamodb
from bridge.store.payments import outbox_items

LATE_AFTER_S = 5 * 60
GIVE_UP_AFTER_S = 72 * 3600


class Delivered(BaseModel, frozen=True):
    """What a run sent, repeats included. `put_off`, `parked`, `left`: payments whose events the
    bus did not take, those given up among them, and those for which the run had no time."""

    events: int
    deferred: int
    retries_exhausted: int
    left: int


@dataclass
class _Line:
    """A payment's events that wait, in their order. `is_stuck`: the bus did not take the first;
    `is_long`: there may be more of them than were read."""

    cursor: Cursor
    waiting: list[Event]
    sent: int
    is_long: bool
    is_stuck: bool = False


def handle_trigger(changed: Iterable[ChangedKey], run: RunContext) -> Delivered:
    """Deliver what the stream rang for.

    A delivery that fails is carried by its cursor's due entry, so a batch is never reported as
    failed in part. Raises TemporarilyUnavailable where even that could not be written, or time was
    up: the whole batch rings again, and what was delivered is not waiting any more.
    """
    delivered = deliver(outbox_items.payments_of(changed), run)
    if delivered.left:
        raise TemporarilyUnavailable("there was no time to deliver them all")
    return delivered


def deliver(payment_ids: Sequence[str], run: RunContext) -> Delivered:
    """Deliver everything that waits of these payments. Raises TemporarilyUnavailable.

    Once the bus has failed the run asks it no more: what then waits is put off at once.
    """
    counts, is_down = Counter[str](), False
    for start in range(0, len(payment_ids), queues.EVENTS_AT_ONCE):
        group = payment_ids[start : start + queues.EVENTS_AT_ONCE]
        if not scheduling.has_time(run):
            counts["left"] += len(group)
        else:
            is_down = _deliver_together(group, run, counts, is_down=is_down)
    return Delivered(**{name: counts[name] for name in Delivered.model_fields})


def replay(payment_id: str, sequence: int, run: RunContext) -> Delivered:
    """Deliver again from an event on, or from the first that waits if that comes before it.

    Raises TemporarilyUnavailable.
    """
    for _ in range(scheduling.WRITE_TRIES):
        seen = outbox_items.get_cursor(payment_id)
        # Due at once: should this run end here, the sweep does the rest.
        back = {"sent": min(seen.sent, sequence - 1), "due_at": clock.seconds()}
        reset = back | {"failing_since": None, "retries_exhausted": False}
        try:
            outbox_items.move(seen, seen.model_copy(update=reset))
        except dynamodb.VersionConflict:
            continue
        crash_points.reach("rewound", payment_id)
        return deliver([payment_id], run)
    raise TemporarilyUnavailable("others are delivering these events")


def _deliver_together(
    group: Sequence[str], run: RunContext, counts: Counter[str], *, is_down: bool
) -> bool:
    """Deliver and move each payment's cursor; returns whether the bus has failed.

    Who loses a cursor begins with it again: whoever moved it may not have seen our events.
    """
    for _ in range(scheduling.WRITE_TRIES):
        lines = [_read(payment_id) for payment_id in group]
        lines = [line for line in lines if line.waiting or line.cursor.due_at is not None]
        is_down = _send(lines, run, counts, is_down=is_down)
        group = [line.cursor.payment_id for line in lines if not _keep(line, counts)]
        if not group:
            return is_down
    raise TemporarilyUnavailable("others are delivering these events")


def _read(payment_id: str) -> _Line:
    cursor = outbox_items.get_cursor(payment_id)
    waiting = outbox_items.list_after(cursor)
    return _Line(cursor, waiting, cursor.sent, is_long=len(waiting) == outbox_items.PAGE)


def _send(lines: list[_Line], run: RunContext, counts: Counter[str], *, is_down: bool) -> bool:
    """Send the first event of every line, then the second, until none can go or time is up."""
    while going := [line for line in lines if line.waiting and not line.is_stuck]:
        if not scheduling.has_time(run):
            return is_down
        try:
            answers = [False] * len(going)
            if not is_down:
                answers = queues.put_events([line.waiting[0] for line in going])
        except queues.BusUnavailable as error:
            is_down = True
            telemetry.log.warning("event bus unavailable", reason=str(error))
        for line, taken in zip(going, answers, strict=True):
            line.is_stuck = not taken
            if taken:
                counts["events"] += 1
                line.sent = line.waiting.pop(0).sequence
    return is_down


def _keep(line: _Line, counts: Counter[str]) -> bool:
    """Move the cursor to what was sent; False where somebody else has moved it."""
    crash_points.reach("delivered", line.cursor.payment_id)
    fate: dict[str, int | bool | None] = {
        "due_at": None,
        "failing_since": None,
        "retries_exhausted": False,
    }
    if line.is_stuck:
        fate |= _defer(line)
    elif line.is_long or line.waiting:
        fate |= {"due_at": clock.seconds()}  # the sweep goes on with the rest
    after = line.cursor.model_copy(update=fate | {"sent": line.sent})
    try:
        outbox_items.move(line.cursor, after)
    except dynamodb.VersionConflict:
        return False
    counts["deferred"] += line.is_stuck
    counts["retries_exhausted"] += after.retries_exhausted
    return True


def _defer(line: _Line) -> dict[str, int | bool | None]:
    """When the sweep rings again. Parked after three days, until a ring or an operator."""
    now, payment_id = clock.seconds(), line.cursor.payment_id
    moved = line.sent > line.cursor.sent
    since = now if moved else line.cursor.failing_since or now
    telemetry.log.warning(
        "event not delivered",
        payment_id=payment_id,
        sequence=line.waiting[0].sequence,
        failing_s=now - since,
    )
    if now - since >= LATE_AFTER_S:
        telemetry.measure("undelivered_events", len(line.waiting))
    if now - since >= GIVE_UP_AFTER_S:
        telemetry.log.error("event retries exhausted", payment_id=payment_id)
        telemetry.measure("events_retries_exhausted")
        return {"failing_since": since, "retries_exhausted": True}
    return {"failing_since": since, "due_at": scheduling.next_try(since, now)}
