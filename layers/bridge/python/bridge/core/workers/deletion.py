"""The rest of a customer's deletion: saved methods, addresses, the provider's customer, maybe the
payments. A single method's deletion ends here, too.

The customer, or the method, is gone for everybody since the transaction that left the job. A run
claims the job, goes on page by page and may die anywhere: every step can be repeated, and the job
is due again once that run must have ended. Source: design/data-model.md 6; bridge.md, B12.
"""

import time
from collections import Counter
from collections.abc import Callable

from pydantic import BaseModel

from bridge import clock, config
from bridge.core.payment_state import synchronize
from bridge.core.rules import crash_points, scheduling, telemetry
from bridge.errors import BridgeError
from bridge.models.customer import Customer
from bridge.models.job import Job
from bridge.models.payment import Payment
from bridge.models.payment_method import PaymentMethod
from bridge.models.run_context import RunContext
from bridge.providers import registry
from bridge.store import dynamodb
from bridge.store.customers import customer_items, organization_items
from bridge.store.jobs import due_items, job_items
from bridge.store.payments import payment_items, payment_writes
from bridge.store.wallet import address_items, method_items

PAGE = 25
WRITE_UNITS_S = 200  # for one job; a transaction takes two units for each item
NEXT_ROUND_S = 3600
STUCK_AFTER_S = 24 * 3600

# What a caller or a payer wrote; amounts, states, ids and the timeline stay.
PERSONAL: dict[str, object] = {
    "guest": None,
    "description": None,
    "concept": None,
    "reference_code": None,
    "category": None,
    "tags": None,
    "return_url": None,
    "cancel_url": None,
    "next_action": None,
    "metadata": {},
}

Pause = Callable[[float], object]


class Worked(BaseModel, frozen=True):
    """What a run did. `finished`, `failed`, `left`: jobs that are done, that could not go on, and
    that wait for the next run or the next round."""

    finished: int
    failed: int
    left: int


def finish_due(run: RunContext, pause: Pause = time.sleep) -> Worked:
    """Work on every job that is due until the run's time is up. `pause` holds the write rate.

    Two runs at once do no harm: the fence lets one of them claim a job.
    """
    counts = Counter[str]()
    for shard in due_items.shards():
        for due in due_items.list_due(shard, clock.seconds()):
            if due.kind == "job":
                counts[_guarded(due.id, run, pause)] += 1
    return Worked(**{name: counts[name] for name in Worked.model_fields})


def _guarded(job_id: str, run: RunContext, pause: Pause) -> str:
    """One broken job must not keep the others waiting; it is due again when this run is over."""
    try:
        return _work(job_id, run, pause)
    except dynamodb.VersionConflict:
        return "elsewhere"
    except Exception as error:  # noqa: BLE001 - our own fault, so the log line rings the alarm
        name = type(error).__qualname__
        telemetry.log.error("job failed", job_id=job_id, error_type=name)
        return "failed"


def _work(job_id: str, run: RunContext, pause: Pause) -> str:
    """Claim a job and take page after page of it; returns what became of it. Raises Outrun."""
    job = job_items.get(job_id)
    if job is None or job.due_at > clock.seconds():
        return "elsewhere"  # the index lags behind the run that has it
    if not scheduling.has_time(run):
        return "left"
    over = int(run.ends_at.timestamp()) + synchronize.CLOCKS_DIFFER_S
    job = job_items.move(job, job.model_copy(update={"due_at": over}))
    while scheduling.has_time(run):
        try:
            after = _take_page(job, run, pause)
        except BridgeError as error:
            _defer(job, error)
            return "failed"
        crash_points.reach("paged", job.customer_id)
        if after is None:
            job_items.remove(job)
            telemetry.log.info("deletion finished", customer_id=job.customer_id)
            return "finished"
        job = job_items.move(job, after.model_copy(update={"failing_since": None}))
        if job.due_at != over:
            return "left"
    job_items.move(job, job.model_copy(update={"due_at": clock.seconds()}))
    return "left"


def _defer(job: Job, error: BridgeError) -> None:
    now = clock.seconds()
    since = job.failing_since or now
    telemetry.log.warning("job deferred", job_id=job.id, stage=job.stage, error=error.code)
    if now - since >= STUCK_AFTER_S:
        telemetry.measure("stuck_jobs")
    later = {"due_at": scheduling.next_try(since, now), "failing_since": since}
    job_items.move(job, job.model_copy(update=later))


def _take_page(job: Job, run: RunContext, pause: Pause) -> Job | None:
    """The job as it stands after its next page; None when nothing is left to do.

    Raises NotExecuted, UnknownOutcome, TemporarilyUnavailable.
    """
    customer = customer_items.get(job.customer_id)
    if customer is None or (customer.state != "deleted" and job.stage != "method"):
        raise RuntimeError("a job is for a customer who has been deleted")
    match job.stage:
        case "method":
            method = method_items.get_including_deleted(customer, job.method_id or "")
            if method:
                _detach(method, customer, run)
            return None
        case "methods":
            return _detach_page(job, customer, run)
        case "addresses":
            if address_items.forget_page(customer, PAGE):
                return job
            return job.model_copy(update={"stage": "provider"})
        case "provider":
            if customer.provider_id and customer.provider_customer_id:
                provider = registry.open_provider(customer.provider_id)
                provider.delete_customer(customer.provider_customer_id, ends_at=run.ends_at)
            return job.model_copy(update={"stage": "payments", "cursor": None})
        case "payments":
            return _hide_page(job, pause) if _cascades(customer) else None


def _detach_page(job: Job, customer: Customer, run: RunContext) -> Job:
    methods, last = method_items.walk_customer(job.customer_id, job.cursor, PAGE)
    for method in methods:
        if not scheduling.has_time(run):
            return job  # the page is taken again
        if method.state == "active":
            _detach(method, customer, run)
    if last:
        return job.model_copy(update={"cursor": last})
    return job.model_copy(update={"stage": "addresses", "cursor": None})


def _detach(method: PaymentMethod, customer: Customer, run: RunContext) -> None:
    token = method_items.get_token(method.id)
    if token:
        registry.open_provider(method.provider_id).detach_method(token, ends_at=run.ends_at)
    crash_points.reach("detached", method.customer_id)
    method_items.forget(method, customer, clock.now())


def _cascades(customer: Customer) -> bool:
    """Whether the payments go too: the stack's setting, or the organization's (B12)."""
    organization = customer.organization_id
    return bool(config.setting("CASCADE_PAYMENTS")) or bool(
        organization and organization_items.settings(organization).cascade_payments
    )


def _hide_page(job: Job, pause: Pause) -> Job | None:
    """A page of payments, and then a rest, so that a big customer slows nobody down.

    What can still move is left for a later round: it runs to its end first (B12).
    """
    began = clock.now()
    payments, last = payment_items.walk_customer(job.customer_id, job.cursor, PAGE)
    written = [_hide(payment) for payment in payments]
    spent = (clock.now() - began).total_seconds()
    pause(max(0.0, 2 * sum(written) / WRITE_UNITS_S - spent))
    has_left = job.has_left or 0 in written
    if last:
        return job.model_copy(update={"cursor": last, "has_left": has_left})
    if has_left:
        due_at = clock.seconds() + NEXT_ROUND_S
        return job.model_copy(update={"cursor": None, "has_left": False, "due_at": due_at})
    return None


def _hide(payment: Payment) -> int:
    """How many items were written: none where the payment can still move, or just did."""
    if payment.active_attempt or payment.due_at is not None:
        return 0
    try:
        written = payment_writes.hide(
            payment, payment.model_copy(update=PERSONAL | {"is_hidden": True})
        )
    except dynamodb.VersionConflict:
        return 0
    crash_points.reach("hidden", payment.id)
    return written
