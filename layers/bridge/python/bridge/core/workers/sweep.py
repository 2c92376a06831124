"""The sweep: every minute, check each payment that is due and deliver events that are due.

So every payment gets its right end, even if all webhooks and queue messages are lost.
Source: docs/payment-correctness.md, section 8.
"""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from aws_lambda_powertools.metrics import MetricUnit

from bridge import clock, config
from bridge.core.payment_state import event_checks, synchronize
from bridge.core.payments import change_payment
from bridge.core.rules import scheduling, telemetry
from bridge.core.workers import event_delivery
from bridge.errors import BridgeError
from bridge.models.model import Model
from bridge.models.payment import Payment
from bridge.models.run_context import RunContext
from bridge.providers import registry
from bridge.store.jobs import due_items
from bridge.store.jobs.due_items import Due
from bridge.store.payments import event_counter_items, payment_items

STUCK_LEASES = 4
STUCK_CREATION_S = 2 * 3600
DAY = 24 * 3600


class Swept(Model, frozen=True, kw_only=True):
    """What a sweep did.

    `checked`: payments that were synchronized. `failed`: payments, deliveries or shards that could
    not be. `left`: payments, and payments with due events, that it had no time for. `events`: how
    many were delivered. `oldest_due_seconds`: how late the oldest due entry was.
    `stuck_attempts`: see `is_stuck`.
    """

    checked: int
    failed: int
    left: int
    events: int
    oldest_due_seconds: int
    stuck_attempts: int


def sweep(run: RunContext) -> Swept:
    """Check and deliver everything that is due, all shards at once, until the time is over.

    Two sweeps at once do no harm: the version decides which one may write. A shard that cannot be
    read takes no number away from the others.
    """
    counts: Counter[str] = Counter()
    shards = due_items.shards()
    with ThreadPoolExecutor(len(shards)) as pool:
        for each in pool.map(lambda shard: _sweep_shard(shard, run), shards):
            counts["oldest"] = max(counts["oldest"], each.pop("oldest", 0))
            counts.update(each)
    swept = Swept(
        checked=counts["checked"],
        failed=counts["failed"],
        left=counts["left"],
        events=counts["events"],
        oldest_due_seconds=counts["oldest"],
        stuck_attempts=counts["stuck"],
    )
    telemetry.measure("oldest_due_seconds", swept.oldest_due_seconds, MetricUnit.Seconds)
    telemetry.measure("stuck_attempts", swept.stuck_attempts)
    return swept


def _sweep_shard(shard: str, run: RunContext) -> Counter[str]:
    """First each payment that is due, then all own events together.

    `finish_deletion` runs the jobs. The sweep only measures how late they are.
    """
    now, counts, with_events = clock.seconds(), Counter[str](), list[str]()
    try:
        for due in due_items.list_due(shard, now):
            if due.kind in ("payment", "counter"):
                with _failures_counted(due.id, counts):
                    _check(due, run, now, counts)
                continue
            counts["oldest"] = max(counts["oldest"], now - due.at)
            if due.kind == "events":
                with_events.append(due.id)
    except BridgeError as error:  # how late its work is, nobody knows: that is an alarm
        counts["failed"] += 1
        telemetry.log.error("shard cannot be read", shard=shard, error=error.code)
        telemetry.measure("sweep_failures")
    if with_events:
        with _failures_counted(with_events[0], counts):
            _deliver(with_events, run, counts)
    return counts


@contextmanager
def _failures_counted(payment_id: str, counts: Counter[str]) -> Iterator[None]:
    """Log and count what goes wrong inside, so that the rest goes on."""
    try:
        yield
    except BridgeError as error:
        counts["failed"] += 1
        telemetry.log.info("left for later", payment_id=payment_id, error=error.code)
    except Exception as error:  # noqa: BLE001 - one broken row must not stop the others
        counts["failed"] += 1
        name = type(error).__qualname__
        telemetry.log.error("sweep failed", payment_id=payment_id, error_type=name)
        telemetry.measure("sweep_failures")


def _deliver(payment_ids: list[str], run: RunContext, counts: Counter[str]) -> None:
    delivered = event_delivery.deliver(payment_ids, run)
    counts["events"] += delivered.events
    counts["left"] += delivered.left


def _check(due: Due, run: RunContext, now: int, counts: Counter[str]) -> None:
    """Check one payment. Once the time is over, nothing is read any more, only counted."""
    if not scheduling.has_time(run):
        counts["oldest"] = max(counts["oldest"], now - due.at)
        counts["left"] += 1
    elif due.kind == "counter":
        _check_events(due, run, now, counts)
    else:
        _check_payment(due, run, now, counts)


def _check_events(due: Due, run: RunContext, now: int, counts: Counter[str]) -> None:
    counter = event_counter_items.get(due.id)
    if counter is None or counter.due_at is None or counter.due_at > now:
        return  # the index lags behind the item
    counts["oldest"] = max(counts["oldest"], now - due.at)
    outcome = event_checks.check(counter, run)
    counts["failed" if outcome == "left" else "checked"] += 1


def _check_payment(due: Due, run: RunContext, now: int, counts: Counter[str]) -> None:
    payment = payment_items.get(due.id)
    if payment is None or payment.due_at is None or payment.due_at > now:
        return  # the index lags behind the row: somebody has checked it already
    counts["oldest"] = max(counts["oldest"], now - due.at)
    counts["stuck"] += is_stuck(payment, now)
    counts["checked"] += 1
    payment = synchronize.synchronize(payment, run)
    if _is_abandoned(payment, now):
        change_payment.abandon(payment, run)


def _is_abandoned(payment: Payment, now: int) -> bool:
    """Whether nobody has paid for ABANDON_DAYS, also at the bank's 3-D Secure page. 0 is never."""
    days = config.number("ABANDON_DAYS", 7)
    is_idle = payment.is_open and not payment.active_attempt
    return bool(days) and is_idle and now - int(payment.changed_at.timestamp()) >= days * DAY


def is_stuck(payment: Payment, now: int) -> bool:
    """Whether the active attempt is so old that it should have ended long ago. `now`: seconds."""
    if not (attempt := payment.active_attempt):
        return False
    if attempt.operation == "create":
        checks = registry.open_provider(payment.provider_id).create_check_s
        return now > attempt.at + checks + STUCK_CREATION_S
    return now > attempt.at + STUCK_LEASES * (attempt.until - attempt.at)
