"""What is due is looked at, so that every payment ends right though all else is lost.

Source: design/convergence.md, section 8.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from aws_lambda_powertools.metrics import MetricUnit
from pydantic import BaseModel

from bridge import clock, config
from bridge.core.payment_state import synchronize
from bridge.core.payments import change_payment
from bridge.core.rules import scheduling, telemetry
from bridge.core.workers import event_delivery
from bridge.errors import BridgeError
from bridge.models.call import Call
from bridge.models.payment import Payment
from bridge.providers import registry
from bridge.store.jobs import due_items
from bridge.store.jobs.due_items import Due
from bridge.store.payments import payment_items

STUCK_LEASES = 4
STUCK_CREATION_S = 2 * 3600
DAY = 24 * 3600


class Swept(BaseModel, frozen=True):
    """What a sweep did. `left`: due payments, and payments whose events are due, that it had no
    time for; `events`: how many it delivered."""

    looked: int
    failed: int
    left: int
    events: int
    oldest_due_seconds: int
    stuck_attempts: int


def sweep(call: Call) -> Swept:
    """Converge and deliver everything that is due, shard by shard, until the run's time is up.

    Two sweeps at once do no harm: the fence decides.
    """
    counts: Counter[str] = Counter()
    shards = due_items.shards()
    with ThreadPoolExecutor(len(shards)) as pool:
        for each in pool.map(lambda shard: _sweep_shard(shard, call), shards):
            counts["oldest"] = max(counts["oldest"], each.pop("oldest", 0))
            counts.update(each)
    swept = Swept(
        looked=counts["looked"],
        failed=counts["failed"],
        left=counts["left"],
        events=counts["events"],
        oldest_due_seconds=counts["oldest"],
        stuck_attempts=counts["stuck"],
    )
    telemetry.measure("oldest_due_seconds", swept.oldest_due_seconds, MetricUnit.Seconds)
    telemetry.measure("stuck_attempts", swept.stuck_attempts)
    return swept


def _sweep_shard(shard: str, call: Call) -> Counter[str]:
    now, counts = clock.seconds(), Counter[str]()
    for payment_id, visit in _visits(shard, call, now, counts):
        try:
            visit()
        except BridgeError as error:
            counts["failed"] += 1
            telemetry.log.info("left for later", payment_id=payment_id, error=error.code)
        except Exception as error:  # noqa: BLE001 - one broken row must not keep the others waiting
            counts["failed"] += 1
            name = type(error).__qualname__
            telemetry.log.error("sweep failed", payment_id=payment_id, error_type=name)
            telemetry.measure("sweep_failures")
    return counts


def _visits(
    shard: str, call: Call, now: int, counts: Counter[str]
) -> Iterator[tuple[str, Callable[[], None]]]:
    """What to do for all that is due, by kind; money first, then the events, in one go.

    Jobs have a schedule and rights of their own: only their lateness is ours.
    """
    ringing: list[str] = []
    for due in due_items.list_due(shard, now):
        if due.kind == "payment":
            yield due.id, partial(_converge, due, call, now, counts)
            continue
        counts["oldest"] = max(counts["oldest"], now - due.at)
        if due.kind == "events":
            ringing.append(due.id)
    if ringing:
        yield ringing[0], partial(_deliver, ringing, call, counts)


def _deliver(payment_ids: list[str], call: Call, counts: Counter[str]) -> None:
    delivered = event_delivery.deliver(payment_ids, call)
    counts["events"] += delivered.events
    counts["left"] += delivered.left


def _converge(due: Due, call: Call, now: int, counts: Counter[str]) -> None:
    payment = payment_items.get(due.id)
    if payment is None or payment.due_at is None or payment.due_at > now:
        return  # the index lags behind the row
    counts["oldest"] = max(counts["oldest"], now - due.at)
    counts["stuck"] += is_stuck(payment, now)
    if not scheduling.has_time(call):
        counts["left"] += 1
        return
    counts["looked"] += 1
    payment = synchronize.converge(payment, call)
    abandoned_after = config.number("ABANDON_DAYS", 7) * DAY
    idle = payment.status in ("created", "failed") and payment.is_open and not payment.live
    if idle and now - int(payment.changed_at.timestamp()) >= abandoned_after:
        change_payment.abandon(payment, call)


def is_stuck(payment: Payment, now: int) -> bool:
    """Whether an attempt has outlived every way in which it should have ended."""
    if not (live := payment.live):
        return False
    if live.operation == "create":
        looks = registry.open_provider(payment.provider_id).create_look_s
        return now > live.at + looks + STUCK_CREATION_S
    return now > live.at + STUCK_LEASES * (live.until - live.at)
