"""The second part of a deletion, as a background job.

After a customer is deleted: the saved methods, the addresses, the provider's customer and, if that
is set, the payments. After a single payment method is deleted: the method at the provider.

For every caller the record is gone as soon as the transaction that wrote the job is committed. A
run claims a job and works page by page. It may die anywhere: each step can be repeated, and the
job is due again once that run must be over.
Source: docs/data-model.md, section 6; docs/api/native.md, section 3 (B12).
"""

import time
from collections import Counter
from collections.abc import Callable

from msgspec.structs import replace

from bridge import clock, config
from bridge.core.payment_state import state_machine, synchronize
from bridge.core.rules import crash_points, scheduling, telemetry
from bridge.errors import BridgeError
from bridge.models import field_rules
from bridge.models.customer import Customer
from bridge.models.job import Job
from bridge.models.model import Model, default_of
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
WRITE_UNITS_S = 200  # write units a second for one job; a transaction takes two for each item
NEXT_ROUND_S = 3600
STUCK_AFTER_S = 24 * 3600

# What a caller or a payer wrote gets its default. Amounts, states, ids and the timeline stay.
ERASED: dict[str, object] = {
    name: default_of(Payment, name) for name in field_rules.fields_with(Payment, is_personal=True)
}

Pause = Callable[[float], object]


class Worked(Model, frozen=True, kw_only=True):
    """What a run did, in numbers of jobs.

    `finished`: done and removed. `failed`: tried again later. `left`: goes on in the next run, or
    in the next round.
    """

    finished: int
    failed: int
    left: int


def finish_due(run: RunContext, pause: Pause = time.sleep) -> Worked:
    """Work on every job that is due, until the time of the run is over.

    `pause` waits so many seconds, which limits the write rate. Two runs at once do no harm: the
    job's version lets only one of them claim it.
    """
    counts = Counter[str]()
    for shard in due_items.shards():
        for due in due_items.list_due(shard, clock.seconds()):
            if due.kind == "job":
                counts[_work_guarded(due.id, run, pause)] += 1
    return Worked(**{name: counts[name] for name in Worked.__struct_fields__})


def _work_guarded(job_id: str, run: RunContext, pause: Pause) -> str:
    """Work on a job; an error of our own ends this job's turn, and the other jobs go on.

    Such a job is due again when this run is over.
    """
    try:
        return _work(job_id, run, pause)
    except dynamodb.VersionConflict:
        return "elsewhere"
    except Exception as error:  # noqa: BLE001 - our own bug; the log line raises the alarm
        name = type(error).__qualname__
        telemetry.log.error("job failed", job_id=job_id, error_type=name)
        return "failed"


def _work(job_id: str, run: RunContext, pause: Pause) -> str:
    """Claim a job and work on it page by page. Returns what became of it.

    Raises VersionConflict when another run has claimed it.
    """
    job = job_items.get(job_id)
    if job is None or job.due_at > clock.seconds():
        return "elsewhere"  # another run has it: the index lags behind the item
    if not scheduling.has_time(run):
        return "left"
    # To claim it is to make it due after our own end: if we crash, it becomes due again then.
    run_over_at = int(run.ends_at.timestamp()) + synchronize.CLOCKS_DIFFER_S
    job = job_items.move(job, replace(job, due_at=run_over_at))
    while scheduling.has_time(run):
        try:
            next_job = _take_page(job, run, pause)
        except BridgeError as error:
            _defer(job, error)
            return "failed"
        crash_points.reach("paged", job.customer_id)
        if next_job is None:
            job_items.remove(job)
            telemetry.log.info("deletion finished", customer_id=job.customer_id)
            return "finished"
        job = job_items.move(job, replace(next_job, failing_since=None))
        if job.due_at != run_over_at:
            return "left"  # the page has scheduled the next round
    job_items.move(job, replace(job, due_at=clock.seconds()))
    return "left"


def _defer(job: Job, error: BridgeError) -> None:
    now = clock.seconds()
    since = job.failing_since or now
    telemetry.log.warning("job deferred", job_id=job.id, stage=job.stage, error=error.code)
    if now - since >= STUCK_AFTER_S:
        telemetry.measure("stuck_jobs")
    later = {"due_at": scheduling.next_try(since, now), "failing_since": since}
    job_items.move(job, replace(job, **later))


def _take_page(job: Job, run: RunContext, pause: Pause) -> Job | None:
    """Do the next page of a job. Returns the job as it goes on, or None when all is done.

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
            return replace(job, stage="provider")
        case "provider":
            if customer.provider_id and customer.provider_customer_id:
                provider = registry.open_provider(customer.provider_id)
                provider.delete_customer(customer.provider_customer_id, ends_at=run.ends_at)
            return replace(job, stage="payments", cursor=None)
        case "payments":
            return _hide_page(job, pause) if _cascades(customer) else None


def _detach_page(job: Job, customer: Customer, run: RunContext) -> Job:
    methods, last = method_items.walk_customer(job.customer_id, job.cursor, PAGE)
    for method in methods:
        if not scheduling.has_time(run):
            return job  # the next run reads this page again; detached methods are skipped
        if method.state == "active":
            _detach(method, customer, run)
    if last:
        return replace(job, cursor=last)
    return replace(job, stage="addresses", cursor=None)


def _detach(method: PaymentMethod, customer: Customer, run: RunContext) -> None:
    # The provider first: our item has the only copy of the token that the provider needs.
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
    """Hide a page of payments, then pause, so that a big customer does not slow down others.

    A payment that can still change is left for a later round: it runs to its end first (B12).
    """
    began = clock.now()
    payments, last = payment_items.walk_customer(job.customer_id, job.cursor, PAGE)
    written = [_hide(payment) for payment in payments]
    spent = (clock.now() - began).total_seconds()
    pause(max(0.0, 2 * sum(written) / WRITE_UNITS_S - spent))
    has_left = job.has_left or 0 in written
    if last:
        return replace(job, cursor=last, has_left=has_left)
    if has_left:
        due_at = clock.seconds() + NEXT_ROUND_S
        return replace(job, cursor=None, has_left=False, due_at=due_at)
    return None


def _hide(payment: Payment) -> int:
    """Hide one payment. Returns how many items were written, 0 if it can or did just change.

    One that is only watched (rule 16) is hidden: what can follow is no personal data.
    """
    can_move = state_machine.can_move(payment.status, is_open=payment.is_open)
    if payment.active_attempt or can_move:
        return 0
    try:
        written = payment_writes.hide(payment, replace(payment, **(ERASED | {"is_hidden": True})))
    except dynamodb.VersionConflict:
        return 0
    crash_points.reach("hidden", payment.id)
    return written
