"""Plays one schedule on our real code, a real database and the Stripe simulator over HTTP.

Source: docs/payment-correctness.md, section 10.
"""

import os
import signal
import time
import traceback
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import requests

from bridge import aws, clock, ssm
from bridge.core.payments import read_payments
from bridge.errors import BridgeError, NotExecuted
from bridge.models.caller import Caller
from bridge.models.page import Page
from bridge.models.payment import Payment, PaymentResult
from bridge.models.run_context import Cause, ClientKey, RunContext
from bridge.providers import stripe_calls
from bridge.store import dynamodb
from bridge.store.payments import payment_items
from local.stripe.errors import StripeError
from local.stripe.log import Exchange
from local.stripe.simulator import StripeSimulator
from tests.conftest import Killed
from tests.proof import faults
from tests.proof.acts import ACTS, CLIENT_CALLS, Act
from tests.proof.answers import Answers
from tests.proof.hooks import Plan, points
from tests.proof.modes import HOUR, Machinery
from tests.proof.schedules import PlannedAct, Schedule

API_S, SWEEP_S, WORKER_S, LOG_S = 25, 55, 60, 900  # seconds that a run may last
RUNS_S: dict[str, int] = {
    "sweep": SWEEP_S,
    "webhook": WORKER_S,
    "status_check": WORKER_S,
    "reconcile": LOG_S,
    "event_log": LOG_S,
}
CAUSES: dict[str, tuple[Cause, int]] = {
    "sweep": ("sweep", SWEEP_S),
    "webhook": ("webhook", WORKER_S),
    "reconciliation": ("reconciliation", LOG_S),
    "event_log": ("reconciliation", LOG_S),
}
OPERATIONS = {"create": "create_payment", "update": "update_payment", "sync": "fetch"}
LATE = "X-Late"
HORIZON_S = 60
HARD_S = 20
STALE_S = 30.0  # how far behind a stale read may be


@dataclass
class Play:
    """A schedule while it is played.

    - `check`: called after every act and step.
    - `ids`: the ids of our payments that the client knows, by their number in the schedule.
    - `made`: the ids of all payments whose lock was seen.
    - `answers`: what clients were told.
    - `checked_versions`: by payment id, the provider's `version()` when the last finished status
      check began.
    - `waiting_since`: by payment id, since when it is `processing` for no reason.
    - `at_rest`: by payment id, its provider's events when it was last seen not to be due.
    - `outage_until`: when the provider can be asked again. `had_outage`: whether it ever could not.
    - `unseen`: the payments about which nobody tells us any more, in a schedule without events.
    - `wrong`: what must not be. Empty at the end, or the proof has failed.
    - `count`: how often what happened. `harm`: how often each kind of harm was met.
    """

    schedule: Schedule
    stripe: StripeSimulator
    check: Callable[["Play"], None]
    user: Caller = field(init=False)
    machinery: Machinery = field(init=False)
    now: float = 0
    skew: float = 0
    ids: dict[int, str] = field(default_factory=dict)
    made: dict[str, None] = field(default_factory=dict)
    saved_method: str = ""
    answers: Answers = field(default_factory=Answers)
    checked_versions: dict[str, int] = field(default_factory=dict)
    waiting_since: dict[str, float] = field(default_factory=dict)
    at_rest: dict[str, int] = field(default_factory=dict)
    unseen: set[str] = field(default_factory=set)
    last_delivery: tuple[str, int] = ("", 0)
    outage_until: float = 0
    had_outage: bool = False
    wrong: list[str] = field(default_factory=list)
    count: Counter[str] = field(default_factory=Counter)
    harm: Counter[str] = field(default_factory=Counter)
    depth: int = 0

    def __post_init__(self) -> None:
        self.user = Caller(user_id=f"user_{uuid.uuid4().hex}", email="j@example.com", name="J")
        self.stripe.reset()
        self.stripe.webhooks.point("", [ssm.secret("STRIPE_WEBHOOK_SECRET")])
        self.stripe.refunds_settle_after(self.schedule.late_s)
        self.stripe.debits_settle_after(self.schedule.late_s)
        os.environ["CASCADE_PAYMENTS"] = "true" if self.schedule.cascades else ""
        self.set_clock(float((int(time.time()) // HOUR + 1) * HOUR))  # as if it began on the hour
        self.machinery = Machinery(self)

    def run(self) -> None:
        """Play all acts, one after the other."""
        self.machinery.begin()
        for planned in self.schedule.acts:
            self.do(planned)

    def meet(self, harm: str) -> None:
        """Count a kind of harm."""
        self.harm[harm] += 1

    def set_clock(self, now: float) -> None:
        """Set our clock and the provider's. How long an act really took is not visible in them."""
        self.now = max(now, self.now)
        offset = self.now - time.time()
        clock.set_offset(offset + self.skew)
        self.stripe.advance(offset - self.stripe.world.offset)

    def wait(self, seconds: float) -> None:
        """Let time pass, and let happen what happens in it."""
        until = self.now + seconds
        self.machinery.run_until(until)
        self.set_clock(max(until, float(int(time.time() + self.stripe.world.offset))))

    def work(self, name: str, do: Callable[[RunContext], object], dies: str = "") -> bool:
        """A worker of the machinery. Returns whether it came to its end.

        What it raises is counted; an escape of our own is wrong.
        """
        plan = Plan(dies)
        try:
            with points.following(plan), self._skewed(0):
                do(self.run_of(name))
                return True
        except Killed:
            self._count_points(plan)
        except BridgeError as error:
            self.count[f"machinery: {name}: {error.code}"] += 1
        except dynamodb.VersionConflict:
            self.check_may_conflict(name)
        except Exception:  # noqa: BLE001 - whatever escapes is a finding
            self.wrong.append(f"the machinery's {name} raised\n{traceback.format_exc()}")
        return False

    def check_may_conflict(self, name: str) -> None:
        """Of two runs that read the provider's lists at once, one ends with a version conflict."""
        if name not in ("reconcile", "reconciliation", "event_log"):
            self.wrong.append(f"{name} raised VersionConflict")

    def run_of(self, name: str) -> RunContext:
        """A run of a worker that begins now."""
        cause, seconds = CAUSES[name]
        return RunContext(cause=cause, ends_at=after(seconds))

    @contextmanager
    def _skewed(self, seconds: float) -> Iterator[None]:
        """Inside the block our clock is wrong by so many seconds."""
        before, self.skew = self.skew, seconds
        self.set_clock(self.now)
        try:
            yield
        finally:
            self.skew = before
            self.set_clock(self.now)

    def do(self, planned: PlannedAct) -> None:
        """Play one act with its faults, and note in `wrong` what must not happen."""
        self.wait(planned.after)
        before = len(self.stripe.requests)
        version = self.version()
        is_due = self._is_due(planned)
        plan = self._plan(planned)
        index, met = self.machinery.index, list[str]()
        fault = self._begin_fault(planned)
        self.depth += 1
        outcome = "answered"
        try:
            with (
                points.following(plan),
                self._skewed(planned.skew),
                faults.around(fault, index) as met,
            ):
                if planned.hard:
                    self._in_a_process(ACTS[planned.kind], planned)
                    outcome = "process"
                else:
                    self.call(planned, plan)
        except Killed:
            outcome = "killed"
        except BridgeError as error:
            outcome = error.code
            if isinstance(error, NotExecuted) and not planned.store:
                self._check_lock_released(planned)
        except StripeError:
            outcome = "refused at the dashboard"
        except dynamodb.VersionConflict:
            outcome = "another run reads the same lists"
            self.check_may_conflict(planned.kind)
        except Exception:  # noqa: BLE001 - whatever escapes is a finding
            outcome = "escaped"
            self.wrong.append(f"{planned} raised\n{traceback.format_exc()}")
        finally:
            self.depth -= 1
            self._end_fault(planned)
        self.machinery.changed()
        self._count(planned, outcome, plan, met)
        if planned.late:
            self._note_late_request(planned, before)
        is_check = outcome == "answered" and planned.fault != "stale"
        if is_check and (planned.kind == "sync" or is_due):
            self.note_checked(planned.payment, version)
        self.check(self)

    def call(self, planned: PlannedAct, plan: Plan) -> None:
        """Do the act. What a client is told is noted. Raises what the act raises."""
        act = ACTS[planned.kind]
        if planned.kind not in CLIENT_CALLS:
            act(self, planned)
            return
        began = self.answers.turn()
        try:
            result = act(self, planned)
        except BridgeError as error:
            self.answers.add_error(planned, error, plan.keys, began)
            raise
        finally:
            self.made |= {f"pay_{key.partition('.')[0]}": None for key in plan.keys}
        if isinstance(result, PaymentResult):
            self.answers.add_result(planned, result, plan.keys, began)

    def _begin_fault(self, planned: PlannedAct) -> str:
        """Set the provider's faults of an act. Returns what goes wrong around its worker."""
        if planned.kind == "outage" or self.is_outage:
            return planned.store
        if planned.fault == "stale":
            self.stripe.fault("", "stale", times=planned.times, lag=STALE_S)
        elif planned.fault:
            operation = OPERATIONS.get(planned.kind, planned.kind)
            operation = "" if planned.kind in RUNS_S else operation
            self.stripe.fault(operation, planned.fault, times=planned.times, seconds=3.0)
        return "timeouts" if planned.fault.startswith("hang") else planned.store

    def _end_fault(self, planned: PlannedAct) -> None:
        if not planned.fault or self.is_outage:
            return
        for each in self.stripe.faults.listed():
            if each["fired"]:
                kind, operation = each["kind"], each["operation"]
                self.meet(f"{kind} at {operation}" if kind == "500_stored" else str(kind))
        self.stripe.faults.clear()

    @property
    def is_outage(self) -> bool:
        """Whether the provider cannot be asked now."""
        return self.now < self.outage_until

    def begin_outage(self, kind: str, seconds: int) -> None:
        """The provider cannot be asked for so long."""
        self.stripe.faults.clear()
        self.stripe.fault("", kind, times=None)
        self.outage_until, self.had_outage = self.now + seconds, True
        self.meet("outage of hours")
        self.machinery.later(seconds, self.stripe.faults.clear)

    def _check_lock_released(self, planned: PlannedAct) -> None:
        """An error that says that nothing was done leaves no lock (rules 4 and 11)."""
        row = self.row(planned)
        by_others = any(each.kind == planned.kind for each in planned.meanwhile)
        if (
            row
            and row.active_attempt
            and row.active_attempt.operation == planned.kind != "create"
            and not by_others
        ):
            self.wrong.append(f"{planned} was refused, and its lock is still there")

    def _count(self, planned: PlannedAct, outcome: str, plan: Plan, met: list[str]) -> None:
        self.count[f"{planned.kind}: {outcome}"] += 1
        self._count_points(plan)
        for harm in dict.fromkeys(met):
            self.meet(harm)
        if planned.skew:
            self.meet("wrong clock")

    def _count_points(self, plan: Plan) -> None:
        for each in plan.fired:
            self.meet(each)

    def _plan(self, planned: PlannedAct) -> Plan:
        plan = Plan(
            planned.dies, planned.hard, planned.at, ends_at=after(RUNS_S.get(planned.kind, API_S))
        )
        if planned.at:
            plan.meanwhile = lambda: self._do_all(planned.meanwhile)
        return plan

    def _do_all(self, acts: tuple[PlannedAct, ...]) -> None:
        for planned in acts:
            self.do(planned)

    def _note_late_request(self, planned: PlannedAct, before: int) -> None:
        """The request that was lost will still arrive, within the provider's horizon."""
        operation = OPERATIONS.get(planned.kind, planned.kind)
        sent = self.stripe.requests[before:]
        lost = [e for e in sent if e.status is None and e.operation == operation]
        if lost and lost[0].method == "POST":
            at = float(int(lost[0].at)) + planned.late
            self.machinery.later(max(0, at - self.now), lambda: self._deliver_late(lost[0]))

    def _deliver_late(self, lost: Exchange) -> None:
        """A call that takes effect late must do so while its lock lasts (rule 12)."""
        before = self.version()
        headers = {name: value for name, value in lost.headers.items() if name != "Host"}
        url = f"{self.stripe.url}{lost.path}"
        requests.post(url, data=lost.body, headers=headers | {LATE: "1"}, timeout=10)
        is_last = self.now >= int(lost.at) + HORIZON_S
        self.meet("arrives at the end of the horizon" if is_last else "arrives late")
        uid, _, number = str(lost.headers["Idempotency-Key"]).partition(".")
        row = payment_items.get(f"pay_{uid}")
        is_locked = bool(row and row.active_attempt and row.active_attempt.number == int(number))
        if self.version() != before and not is_locked:
            self.wrong.append(f"{lost.operation} {number} landed after it had ended")

    def _is_due(self, planned: PlannedAct) -> bool:
        """Whether a sweep, with no fault, must check the payment now."""
        if planned.kind != "sweep" or planned.fault or planned.store or self.is_outage:
            return False
        row = self.row(planned)
        return bool(row and row.due_at is not None and row.due_at <= clock.seconds())

    def version(self) -> int:
        """How often the provider's objects have changed. An updated intent makes no event."""
        updates = self.stripe.log.counts["update_payment"]
        return len(self.stripe.world.events) + updates

    def note_checked(self, number: int, version: int) -> None:
        """A status check of the payment has finished, which began at this version."""
        if number in self.ids:
            known = self.ids[number]
            self.checked_versions[known] = max(version, self.checked_versions.get(known, 0))

    def _in_a_process(self, act: Act, planned: PlannedAct) -> None:
        """In a child process, which ends at the crash point without any cleaning up."""
        with suppress(ssm.SecretUnavailable):  # the child makes connections of its own
            ssm.secret("STRIPE_SECRET_KEY")
        child = os.fork()
        if child == 0:
            aws.client.cache_clear()
            stripe_calls._client.cache_clear()
            with suppress(BaseException):
                act(self, planned)
            os._exit(0)
        end = time.monotonic() + HARD_S
        while os.waitpid(child, os.WNOHANG)[0] == 0:
            if time.monotonic() > end:  # it never reached its crash point, and hangs
                os.kill(child, signal.SIGKILL)
            time.sleep(0.002)
        self.meet("killed as a process")
        self.rows()  # what the child has made

    def run_context(self, planned: PlannedAct) -> RunContext:
        """A run of an API function, with the client's key if the act has one."""
        key = None
        if planned.key:
            fingerprint = f"{planned.kind} {planned.payment} {planned.card} {planned.amount}"
            key = ClientKey(key=client_key(planned), fingerprint=fingerprint)
        return RunContext(
            cause="api", ends_at=after(API_S), client_key=key, source_ip="198.51.100.7"
        )

    def caller(self, number: int) -> Caller:
        """Who calls for this payment: the user, or the guest whose token opens it."""
        if not self.schedule.terms[number].guest:
            return self.user
        return Caller(guest_of=self.ids[number]) if number in self.ids else Caller()

    def row(self, planned: PlannedAct) -> Payment | None:
        """Our stored row of the act's payment."""
        known = self.ids.get(planned.payment)
        return payment_items.get(known) if known else None

    def rows(self) -> list[Payment]:
        """All payments of the schedule, also those whose id no client was told."""
        page = Page(limit=100)
        listed = read_payments.list_payments(self.user, page)
        listed += payment_items.list_of_guest(self.guest_email, page)
        self.made |= {row.id: None for row in listed}
        return [row for known in self.made if (row := payment_items.get(known))]

    @property
    def guest_email(self) -> str:
        """The address of the schedule's guest."""
        return f"{self.user.user_id}@example.com"

    def unanswered(self) -> set[str]:
        """The provider's keys of attempts whose workers still run."""
        return {key for plan in points.stack for key in plan.keys}


def client_key(planned: PlannedAct) -> str:
    """An idempotency key as long as a guest's must be."""
    return f"{planned.key}-of-the-client".ljust(24, "-")


def after(seconds: float) -> datetime:
    """So many seconds from now, by our clock."""
    return clock.now() + timedelta(seconds=seconds)
