"""Plays one schedule on our real code, a real database and the Stripe simulator over HTTP.

Source: docs/payment-correctness.md, section 10.
"""

import json
import os
import signal
import threading
import time
import traceback
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import requests

from bridge import aws, clock, ssm
from bridge.bodies.payment import (
    Cancellation,
    Capture,
    Confirmation,
    NewPayment,
    NewRefund,
    PaymentChange,
)
from bridge.core.payments import change_payment, create_payment, read_payments
from bridge.core.workers import queue_messages, sweep
from bridge.errors import BridgeError, NotExecuted
from bridge.models.caller import Caller
from bridge.models.page import Page
from bridge.models.payment import Payment, PaymentResult
from bridge.models.queue_message import MethodEventReference, StatusCheck, WebhookEventReference
from bridge.models.run_context import ClientKey, RunContext
from bridge.providers import registry, stripe_calls
from bridge.store.payments import payment_items
from local.stripe.errors import StripeError
from local.stripe.log import Exchange
from local.stripe.resources.json import Json
from local.stripe.signing import Tamper, forge
from local.stripe.simulator import StripeSimulator
from tests.conftest import Killed
from tests.proof import faults
from tests.proof.hooks import Plan, points
from tests.proof.schedules import PlannedAct, Schedule

API_S, SWEEP_S, WORKER_S = 25, 55, 60  # seconds that a run may last
LATE = "X-Late"
HARD_S = 20
OPERATIONS = {
    "create": "create_payment",
    "update": "update_payment",
    "sync": "fetch",
    "sweep": "",
    "webhook": "",
    "status_check": "",
}
RUNS_S = {"sweep": SWEEP_S, "webhook": WORKER_S, "status_check": WORKER_S}


@dataclass
class StoredResult:
    """What a client got for its idempotency key. A repeated request must get the same."""

    planned: PlannedAct
    payment_id: str
    refund_id: str | None


@dataclass
class Play:
    """A schedule while it is played.

    - `check`: called after every act.
    - `ids`: the ids of our payments that the client knows, by their number in the schedule.
    - `stored_results`: what the client got, by kind of act, payment and idempotency key.
    - `checked_versions`: by payment id, the provider's `version()` when the last finished status
      check began.
    - `late_requests`: lost requests that will still arrive, with the second at which they do.
    - `wrong`: what must not be. Empty at the end, or the proof has failed.
    - `count`: how often what happened.
    """

    schedule: Schedule
    stripe: StripeSimulator
    check: Callable[["Play"], None]
    user: Caller = field(init=False)
    now: float = 0
    ids: dict[int, str] = field(default_factory=dict)
    stored_results: dict[tuple[str, int, str], StoredResult] = field(default_factory=dict)
    checked_versions: dict[str, int] = field(default_factory=dict)
    late_requests: list[tuple[float, Exchange]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    count: Counter[str] = field(default_factory=Counter)
    depth: int = 0

    def __post_init__(self) -> None:
        self.user = Caller(user_id=f"user_{uuid.uuid4().hex}", email="j@example.com", name="J")
        self.stripe.reset()
        self.stripe.webhooks.point("", [ssm.secret("STRIPE_WEBHOOK_SECRET")])
        self._set_clock(float(int(time.time()) + 1))

    def run(self) -> None:
        """Play all acts, one after the other."""
        for planned in self.schedule.acts:
            self.do(planned)

    def _set_clock(self, now: float) -> None:
        """Set our clock and the provider's. How long an act really took is not visible in them."""
        self.now = max(now, self.now)
        offset = self.now - time.time()
        clock.set_offset(offset)
        self.stripe.advance(offset - self.stripe.world.offset)

    def wait(self, seconds: float) -> None:
        """Let time pass. Late requests arrive at the provider at their second."""
        until = self.now + seconds
        while self.late_requests and min(self.late_requests, key=_moment)[0] <= until:
            due = min(self.late_requests, key=_moment)
            self.late_requests.remove(due)
            self._set_clock(due[0])
            self._deliver_late(due[1])
        self._set_clock(max(until, float(int(clock.now().timestamp()))))

    def _deliver_late(self, lost: Exchange) -> None:
        """A call that takes effect late must do so while its lock lasts (rule 12)."""
        before = self.version()
        headers = {name: value for name, value in lost.headers.items() if name != "Host"}
        url = f"{self.stripe.url}{lost.path}"
        requests.post(url, data=lost.body, headers=headers | {LATE: "1"}, timeout=10)
        self.count["landed late"] += 1
        uid, _, number = str(lost.headers["Idempotency-Key"]).partition(".")
        row = payment_items.get(f"pay_{uid}")
        is_locked = bool(row and row.active_attempt and row.active_attempt.number == int(number))
        if self.version() != before and not is_locked:
            self.wrong.append(f"{lost.operation} {number} landed after it had ended")

    def do(self, planned: PlannedAct) -> None:
        """Play one act with its faults, and note in `wrong` what must not happen."""
        self.wait(planned.after)
        act = ACTS[planned.kind]
        before = len(self.stripe.requests)
        version = self.version()
        is_due = self._is_due(planned)
        plan = self._plan(planned)
        if planned.fault:
            operation = OPERATIONS.get(planned.kind, planned.kind)
            self.stripe.fault(operation, planned.fault, times=planned.times)
        points.stack.append(plan)
        self.depth += 1
        outcome = "answered"
        try:
            with faults.of_the_store(planned.store):
                if planned.hard:
                    self._in_a_process(act, planned)
                    outcome = "process"
                else:
                    act(self, planned)
        except Killed:
            outcome = "killed"
        except BridgeError as error:
            outcome = error.code
            if isinstance(error, NotExecuted) and not planned.store:
                self._check_lock_released(planned)
        except StripeError:
            outcome = "refused at the dashboard"
        except Exception:  # noqa: BLE001 - whatever escapes is a finding
            outcome = "escaped"
            self.wrong.append(f"{planned} raised\n{traceback.format_exc()}")
        finally:
            self.depth -= 1
            points.stack.pop()
            if planned.fault:
                self.stripe.faults.clear()
        self._count(planned, outcome, plan)
        if planned.late:
            self._note_late_request(planned, before)
        if outcome == "answered" and (planned.kind == "sync" or is_due):
            self.note_checked(planned.payment, version)
        self.check(self)

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

    def _count(self, planned: PlannedAct, outcome: str, plan: Plan) -> None:
        self.count[f"{planned.kind}: {outcome}"] += 1
        for each in plan.fired:
            self.count[each] += 1
        for kind in (planned.fault, planned.store):
            if kind:
                self.count[f"fault {kind}"] += 1

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
        sent = [each for each in self.stripe.requests[before:] if each.status is None]
        lost = [
            each for each in sent if each.operation == OPERATIONS.get(planned.kind, planned.kind)
        ]
        if lost and lost[0].method == "POST":
            self.late_requests.append((float(int(lost[0].at)) + planned.late, lost[0]))

    def _is_due(self, planned: PlannedAct) -> bool:
        """Whether a sweep, with no fault, must check the payment now."""
        if (
            planned.kind != "sweep"
            or planned.fault
            or planned.store
            or planned.payment not in self.ids
        ):
            return False
        row = payment_items.get(self.ids[planned.payment])
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

    def _in_a_process(self, act: "Act", planned: PlannedAct) -> None:
        """In a child process, which ends at the crash point without any cleaning up."""
        ssm.secret("STRIPE_SECRET_KEY")  # read it now: the child makes connections of its own
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
        self.count["processes"] += 1

    def run_context(self, planned: PlannedAct) -> RunContext:
        """A run of an API function, with the client's key if the act has one."""
        key = None
        if planned.key:
            fingerprint = f"{planned.kind} {planned.payment} {planned.card} {planned.amount}"
            key = ClientKey(key=planned.key, fingerprint=fingerprint)
        return RunContext(
            cause="api", ends_at=after(API_S), client_key=key, source_ip="198.51.100.7"
        )

    def row(self, planned: PlannedAct) -> Payment | None:
        """Our stored row of the act's payment."""
        known = self.ids.get(planned.payment)
        return payment_items.get(known) if known else None

    def listed(self) -> list[Payment]:
        """All payments of the user, as the list endpoint returns them."""
        return read_payments.list_payments(self.user, Page(limit=100))

    def remember_result(self, planned: PlannedAct, result: PaymentResult) -> None:
        """Store what the client got for its key, and compare it with what it got before."""
        if result.retry_after is not None or not planned.key:
            return
        place = (planned.kind, planned.payment, planned.key)
        refund_id = result.refund.id if result.refund else None
        now = StoredResult(planned, result.payment.id, refund_id)
        before = self.stored_results.setdefault(place, now)
        if (before.payment_id, before.refund_id) != (now.payment_id, now.refund_id):
            self.wrong.append(f"{planned}: the key {planned.key} got {before}, and now {now}")


def _moment(late: tuple[float, Exchange]) -> float:
    return late[0]


def after(seconds: float) -> datetime:
    """So many seconds from now, by our clock."""
    return clock.now() + timedelta(seconds=seconds)


Act = Callable[[Play, PlannedAct], None]


def _create(play: Play, planned: PlannedAct) -> None:
    method = "manual" if play.schedule.manual[planned.payment] else "automatic"
    usage = "off_session" if play.schedule.saves[planned.payment] else None
    new = NewPayment(
        total_cents=planned.amount, currency="USD", capture_method=method, setup_future_usage=usage
    )
    result = create_payment.create_payment_intent(play.user, new, play.run_context(planned))
    play.ids[planned.payment] = result.payment.id
    play.remember_result(planned, result)


def _on_known_payment(ask: Callable[[Play, str, PlannedAct], PaymentResult]) -> Act:
    """A call of a client that knows the payment's id."""

    def act(play: Play, planned: PlannedAct) -> None:
        if known := play.ids.get(planned.payment):
            play.remember_result(planned, ask(play, known, planned))

    return act


def _confirm(play: Play, known: str, planned: PlannedAct) -> PaymentResult:
    asked = Confirmation(payment_method_id=f"pm_card_{planned.card}")
    return change_payment.confirm(play.user, known, asked, play.run_context(planned))


def _update(play: Play, known: str, planned: PlannedAct) -> PaymentResult:
    change = PaymentChange(total_cents=planned.amount)
    return change_payment.update(play.user, known, change, play.run_context(planned))


def _capture(play: Play, known: str, planned: PlannedAct) -> PaymentResult:
    body = Capture(amount_cents=planned.amount)
    return change_payment.capture(play.user, known, body, play.run_context(planned))


def _cancel(play: Play, known: str, planned: PlannedAct) -> PaymentResult:
    return change_payment.cancel(play.user, known, Cancellation(), play.run_context(planned))


def _refund(play: Play, known: str, planned: PlannedAct) -> PaymentResult:
    body = NewRefund(amount_cents=planned.amount)
    return change_payment.refund(play.user, known, body, play.run_context(planned))


def _sync(play: Play, planned: PlannedAct) -> None:
    if known := play.ids.get(planned.payment):
        change_payment.sync(play.user, known, play.run_context(planned))


def _sweep(play: Play, planned: PlannedAct) -> None:
    sweep.sweep(RunContext(cause="sweep", ends_at=after(SWEEP_S)))


def _webhook(play: Play, planned: PlannedAct) -> None:
    """An event of the payment, signed by Stripe, read and handled as our functions do it."""
    if (signed := _signed(play, planned)) and isinstance(
        event_reference := _read_event(*signed), WebhookEventReference
    ):
        queue_messages.handle(queue_messages.Message(event_reference=event_reference), _work())


def _signed(play: Play, planned: PlannedAct) -> tuple[bytes, str] | None:
    """The event that the act delivers: its bytes and its signature, made now."""
    row = play.row(planned)
    events = [each for each in play.stripe.events() if row and _is_of(each, row)]
    if not events:
        return None
    event = events[max(0, len(events) - 1 - (planned.amount or 0))]
    return play.stripe.webhooks.signed(str(event["id"]))


def _read_event(raw: bytes, signature: str) -> WebhookEventReference | MethodEventReference | None:
    return registry.open_provider("stripe").read_event({"stripe-signature": signature}, raw)


def _forged(tamper: Tamper) -> Act:
    """The same event, changed on its way. It must be refused."""

    def act(play: Play, planned: PlannedAct) -> None:
        if signed := _signed(play, planned):
            secrets = [ssm.secret("STRIPE_WEBHOOK_SECRET")]
            _read_event(*forge(signed[0], secrets, int(play.now), tamper))
            play.wrong.append(f"{planned} was accepted")

    return act


def _status_check(play: Play, planned: PlannedAct) -> None:
    """The status check that is queued when a call's outcome is unknown."""
    if (row := play.row(planned)) and row.active_attempt:
        status_check = StatusCheck(payment_id=row.id, attempt=row.active_attempt.number)
        queue_messages.handle(queue_messages.Message(status_check=status_check), _work())


def _work() -> RunContext:
    return RunContext(cause="webhook", ends_at=after(WORKER_S))


def _is_of(event: Json, row: Payment) -> bool:
    text = json.dumps(event)
    return row.id in text or bool(row.provider_payment_id and row.provider_payment_id in text)


def _at_the_provider(act: Callable[[Play, str, PlannedAct], object]) -> Act:
    """Something that happens at the provider, to a payment that it knows."""

    def do(play: Play, planned: PlannedAct) -> None:
        row = play.row(planned)
        if row and row.provider_payment_id:
            act(play, row.provider_payment_id, planned)

    return do


def _customer_confirms(play: Play, intent: str, planned: PlannedAct) -> None:
    secret = play.stripe.world.intents[intent].client_secret
    play.stripe.browser_confirm(intent, secret, f"pm_card_{planned.card}")


def _together(play: Play, planned: PlannedAct) -> None:
    """All acts at once, each in its own thread."""
    barrier = threading.Barrier(len(planned.meanwhile))

    def run(each: PlannedAct) -> None:
        points.own.plan = Plan(each.dies)
        barrier.wait()
        try:
            with suppress(BridgeError, StripeError, Killed):
                ACTS[each.kind](play, each)
        except Exception:  # noqa: BLE001 - whatever escapes is a finding
            play.wrong.append(f"{each} raised\n{traceback.format_exc()}")

    threads = [threading.Thread(target=run, args=(each,)) for each in planned.meanwhile]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


ACTS: dict[str, Act] = {
    "create": _create,
    "confirm": _on_known_payment(_confirm),
    "update": _on_known_payment(_update),
    "capture": _on_known_payment(_capture),
    "cancel": _on_known_payment(_cancel),
    "refund": _on_known_payment(_refund),
    "sync": _sync,
    "sweep": _sweep,
    "webhook": _webhook,
    "status_check": _status_check,
    "forged_body": _forged("body"),
    "forged_signature": _forged("sig"),
    "together": _together,
    "finishes": _at_the_provider(lambda play, it, _: play.stripe.authenticate(it, success=True)),
    "drops": _at_the_provider(lambda play, it, _: play.stripe.authenticate(it, success=False)),
    "confirms": _at_the_provider(_customer_confirms),
    "dashboard_refund": _at_the_provider(
        lambda play, it, planned: play.stripe.dashboard("refund", it, planned.amount)
    ),
    "dashboard_capture": _at_the_provider(lambda play, it, _: play.stripe.dashboard("capture", it)),
    "dashboard_cancel": _at_the_provider(lambda play, it, _: play.stripe.dashboard("cancel", it)),
    "dashboard_dispute": _at_the_provider(lambda play, it, _: play.stripe.dashboard("dispute", it)),
}
