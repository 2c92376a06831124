"""One schedule played on the real code, the real store and a real Stripe over HTTP."""

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

from bridge import clock, config
from bridge.core.payments import change_payment, create_payment, read_payments
from bridge.core.workers import queue_messages, sweep
from bridge.errors import BridgeError, NotExecuted
from bridge.models.caller import Caller
from bridge.models.page import Page
from bridge.models.payment import (
    Cancellation,
    Capture,
    Confirmation,
    NewPayment,
    Payment,
    PaymentChange,
    PaymentResult,
)
from bridge.models.queue_message import MethodEventReference, StatusCheck, WebhookEventReference
from bridge.models.refund import NewRefund
from bridge.models.run_context import ClientKey, RunContext
from bridge.providers import registry, stripe_calls
from bridge.store import dynamodb
from bridge.store.payments import payment_items
from local.stripe.errors import StripeError
from local.stripe.log import Exchange
from local.stripe.resources.json import Json
from local.stripe.signing import Tamper, forge
from local.stripe.simulator import StripeSimulator
from tests.conftest import Killed
from tests.proof import faults
from tests.proof.hooks import Plan, points
from tests.proof.schedules import Schedule, Step

API_S, SWEEP_S, WORKER_S = 25, 55, 60  # MAXRUN of convergence.md, section 1
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
class Told:
    """What a client was told for a key: the id, and the words that may not change."""

    step: Step
    payment_id: str
    refund_id: str | None


@dataclass
class Play:
    """A schedule under way.

    `ids`: our payments as the client knows them, by number. `seen`: how many events the provider
    had when the last look began that was finished. `owed`: requests that are still to land.
    `wrong`: what must not be.
    """

    schedule: Schedule
    stripe: StripeSimulator
    check: Callable[["Play"], None]
    user: Caller = field(init=False)
    now: float = 0
    ids: dict[int, str] = field(default_factory=dict)
    stored_results: dict[tuple[str, int, str], Told] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    owed: list[tuple[float, Exchange]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    count: Counter[str] = field(default_factory=Counter)
    depth: int = 0

    def __post_init__(self) -> None:
        self.user = Caller(user_id=f"user_{uuid.uuid4().hex}", email="j@example.com", name="J")
        self.stripe.reset()
        self.stripe.webhooks.point("", [config.secret("STRIPE_WEBHOOK_SECRET")])
        self._set_clock(float(int(time.time()) + 1))

    def run(self) -> None:
        for step in self.schedule.steps:
            self.do(step)

    # --- time -----------------------------------------------------------------------------------

    def _set_clock(self, now: float) -> None:
        """Both clocks, to the second: what a step takes in truth does not show in it."""
        self.now = max(now, self.now)
        prefetched = self.now - time.time()
        clock.set_offset(prefetched)
        self.stripe.advance(prefetched - self.stripe.world.offset)

    def wait(self, seconds: float) -> None:
        """Let time pass; what was under way to the provider lands at its moment."""
        until = self.now + seconds
        while self.owed and min(self.owed, key=_moment)[0] <= until:
            due = min(self.owed, key=_moment)
            self.owed.remove(due)
            self._set_clock(due[0])
            self._land(due[1])
        self._set_clock(max(until, float(int(clock.now().timestamp()))))

    def _land(self, lost: Exchange) -> None:
        """What a call does late must fall into the time of its lock (rule 12)."""
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

    # --- acts -----------------------------------------------------------------------------------

    def do(self, step: Step) -> None:
        """One step with all that befalls it; what it must not do is noted."""
        self.wait(step.after)
        act = ACTS[step.act]
        before = len(self.stripe.requests)
        version = self.version()
        due = self._due(step)
        plan = self._plan(step)
        if step.fault:
            operation = OPERATIONS.get(step.act, step.act)
            self.stripe.fault(operation, step.fault, times=step.times)
        points.stack.append(plan)
        self.depth += 1
        outcome = "answered"
        try:
            with faults.of_the_store(step.store):
                if step.hard:
                    self._in_a_process(act, step)
                    outcome = "process"
                else:
                    act(self, step)
        except Killed:
            outcome = "killed"
        except BridgeError as error:
            outcome = error.code
            if isinstance(error, NotExecuted) and not step.store:
                self._check_let_go(step)
        except StripeError:
            outcome = "refused at the dashboard"
        except Exception:  # noqa: BLE001 - whatever escapes is a finding
            outcome = "escaped"
            self.wrong.append(f"{step} raised\n{traceback.format_exc()}")
        finally:
            self.depth -= 1
            points.stack.pop()
            if step.fault:
                self.stripe.faults.clear()
        self._note(step, outcome, plan)
        if step.late:
            self._owe(step, before)
        if outcome == "answered" and (step.act == "sync" or due):
            self.known(step.payment, version)
        self.check(self)

    def _check_let_go(self, step: Step) -> None:
        """Who is told that nothing was done has left no lock (rules 4 and 11)."""
        row = self.row(step)
        by_others = any(each.act == step.act for each in step.meanwhile)
        if (
            row
            and row.active_attempt
            and row.active_attempt.operation == step.act != "create"
            and not by_others
        ):
            self.wrong.append(f"{step} was refused, and holds the lock still")

    def _note(self, step: Step, outcome: str, plan: Plan) -> None:
        self.count[f"{step.act}: {outcome}"] += 1
        for each in plan.fired:
            self.count[each] += 1
        for kind in (step.fault, step.store):
            if kind:
                self.count[f"fault {kind}"] += 1

    def _plan(self, step: Step) -> Plan:
        plan = Plan(step.dies, step.hard, step.at, ends_at=after(RUNS_S.get(step.act, API_S)))
        if step.at:
            plan.meanwhile = lambda: self._do_all(step.meanwhile)
        return plan

    def _do_all(self, steps: tuple[Step, ...]) -> None:
        for step in steps:
            self.do(step)

    def _owe(self, step: Step, before: int) -> None:
        """The request that was lost on its way will land, within the provider's horizon."""
        sent = [each for each in self.stripe.requests[before:] if each.status is None]
        lost = [each for each in sent if each.operation == OPERATIONS.get(step.act, step.act)]
        if lost and lost[0].method == "POST":
            self.owed.append((float(int(lost[0].at)) + step.late, lost[0]))

    def _due(self, step: Step) -> bool:
        """Whether a sweep is to look at the payment, with nothing in its way."""
        if step.act != "sweep" or step.fault or step.store or step.payment not in self.ids:
            return False
        row = payment_items.get(self.ids[step.payment])
        return bool(row and row.due_at is not None and row.due_at <= clock.seconds())

    def version(self) -> int:
        """How often the provider's objects have changed; an update of an intent is no event."""
        updates = self.stripe.log.counts["update_payment"]
        return len(self.stripe.world.events) + updates

    def known(self, number: int, version: int) -> None:
        if number in self.ids:
            known = self.ids[number]
            self.seen[known] = max(version, self.seen.get(known, 0))

    def _in_a_process(self, act: "Act", step: Step) -> None:
        """In a child of this process, which is gone at the point without a word."""
        config.secret("STRIPE_SECRET_KEY")  # the child shares no connection with us
        child = os.fork()
        if child == 0:
            dynamodb.client.cache_clear()
            stripe_calls._client.cache_clear()
            with suppress(BaseException):
                act(self, step)
            os._exit(0)
        end = time.monotonic() + HARD_S
        while os.waitpid(child, os.WNOHANG)[0] == 0:
            if time.monotonic() > end:
                os.kill(child, signal.SIGKILL)
            time.sleep(0.002)
        self.count["processes"] += 1

    # --- what actors do -------------------------------------------------------------------------

    def call(self, step: Step) -> RunContext:
        key = None
        if step.key:
            fingerprint = f"{step.act} {step.payment} {step.card} {step.amount}"
            key = ClientKey(key=step.key, fingerprint=fingerprint)
        return RunContext(
            cause="api", ends_at=after(API_S), client_key=key, source_ip="198.51.100.7"
        )

    def row(self, step: Step) -> Payment | None:
        known = self.ids.get(step.payment)
        return payment_items.get(known) if known else None

    def listed(self) -> list[Payment]:
        return read_payments.list_payments(self.user, Page(limit=100))

    def tell(self, step: Step, answered: PaymentResult) -> None:
        """Remember what was answered, and hold it against what was told before."""
        if answered.retry_after is not None or not step.key:
            return
        place = (step.act, step.payment, step.key)
        refund_id = answered.refund.id if answered.refund else None
        told = Told(step, answered.payment.id, refund_id)
        before = self.stored_results.setdefault(place, told)
        if (before.payment_id, before.refund_id) != (told.payment_id, told.refund_id):
            self.wrong.append(f"{step}: the key {step.key} was told {before}, now {told}")


def _moment(owed: tuple[float, Exchange]) -> float:
    return owed[0]


def after(seconds: float) -> datetime:
    return clock.now() + timedelta(seconds=seconds)


Act = Callable[[Play, Step], None]


def _create(play: Play, step: Step) -> None:
    method = "manual" if play.schedule.manual[step.payment] else "automatic"
    usage = "off_session" if play.schedule.saves[step.payment] else None
    new = NewPayment(
        total_cents=step.amount, currency="USD", capture_method=method, setup_future_usage=usage
    )
    answered = create_payment.create_payment_intent(play.user, new, play.call(step))
    play.ids[step.payment] = answered.payment.id
    play.tell(step, answered)


def _on_payment(ask: Callable[[Play, str, Step], PaymentResult]) -> Act:
    """A call of a client who knows the payment's id."""

    def act(play: Play, step: Step) -> None:
        if known := play.ids.get(step.payment):
            play.tell(step, ask(play, known, step))

    return act


def _confirm(play: Play, known: str, step: Step) -> PaymentResult:
    asked = Confirmation(payment_method_id=f"pm_card_{step.card}")
    return change_payment.confirm(play.user, known, asked, play.call(step))


def _update(play: Play, known: str, step: Step) -> PaymentResult:
    change = PaymentChange(total_cents=step.amount)
    return change_payment.update(play.user, known, change, play.call(step))


def _capture(play: Play, known: str, step: Step) -> PaymentResult:
    body = Capture(amount_cents=step.amount)
    return change_payment.capture(play.user, known, body, play.call(step))


def _cancel(play: Play, known: str, step: Step) -> PaymentResult:
    return change_payment.cancel(play.user, known, Cancellation(), play.call(step))


def _refund(play: Play, known: str, step: Step) -> PaymentResult:
    body = NewRefund(amount_cents=step.amount)
    return change_payment.refund(play.user, known, body, play.call(step))


def _sync(play: Play, step: Step) -> None:
    if known := play.ids.get(step.payment):
        change_payment.sync(play.user, known, play.call(step))


def _sweep(play: Play, step: Step) -> None:
    sweep.sweep(RunContext(cause="sweep", ends_at=after(SWEEP_S)))


def _webhook(play: Play, step: Step) -> None:
    """An event of the payment as Stripe signs it, read as the function does, and handled."""
    if (signed := _signed(play, step)) and isinstance(
        event_reference := _read_event(*signed), WebhookEventReference
    ):
        queue_messages.handle(queue_messages.Message(event_reference=event_reference), _work())


def _signed(play: Play, step: Step) -> tuple[bytes, str] | None:
    """The event that the step names, sent now."""
    row = play.row(step)
    told = [each for each in play.stripe.events() if row and _is_of(each, row)]
    if not told:
        return None
    event = told[max(0, len(told) - 1 - (step.amount or 0))]
    return play.stripe.webhooks.signed(str(event["id"]))


def _read_event(raw: bytes, signature: str) -> WebhookEventReference | MethodEventReference | None:
    return registry.open_provider("stripe").read_event({"stripe-signature": signature}, raw)


def _forged(tamper: Tamper) -> Act:
    """The same, changed on its way: nobody may take it for Stripe's."""

    def act(play: Play, step: Step) -> None:
        if signed := _signed(play, step):
            secrets = [config.secret("STRIPE_WEBHOOK_SECRET")]
            _read_event(*forge(signed[0], secrets, int(play.now), tamper))
            play.wrong.append(f"{step} was believed")

    return act


def _status_check(play: Play, step: Step) -> None:
    """What is queued where a call's outcome is unknown."""
    if row := play.row(step):
        attempt = row.active_attempt.number if row.active_attempt else None
        status_check = StatusCheck(payment_id=row.id, attempt=attempt)
        queue_messages.handle(queue_messages.Message(status_check=status_check), _work())


def _work() -> RunContext:
    return RunContext(cause="webhook", ends_at=after(WORKER_S))


def _is_of(event: Json, row: Payment) -> bool:
    text = json.dumps(event)
    return row.id in text or bool(row.provider_payment_id and row.provider_payment_id in text)


def _in_the_browser(act: Callable[[Play, str, Step], object]) -> Act:
    """What happens at the provider, to a payment that it knows."""

    def do(play: Play, step: Step) -> None:
        row = play.row(step)
        if row and row.provider_payment_id:
            act(play, row.provider_payment_id, step)

    return do


def _customer_confirms(play: Play, intent: str, step: Step) -> None:
    held = play.stripe.world.intents[intent]
    play.stripe.browser_confirm(intent, held.client_secret, f"pm_card_{step.card}")


def _together(play: Play, step: Step) -> None:
    """Every act at once, in threads of their own."""
    barrier = threading.Barrier(len(step.meanwhile))

    def run(each: Step) -> None:
        points.own.plan = Plan(each.dies)
        barrier.wait()
        try:
            with suppress(BridgeError, StripeError, Killed):
                ACTS[each.act](play, each)
        except Exception:  # noqa: BLE001 - whatever escapes is a finding
            play.wrong.append(f"{each} raised\n{traceback.format_exc()}")

    threads = [threading.Thread(target=run, args=(each,)) for each in step.meanwhile]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


ACTS: dict[str, Act] = {
    "create": _create,
    "confirm": _on_payment(_confirm),
    "update": _on_payment(_update),
    "capture": _on_payment(_capture),
    "cancel": _on_payment(_cancel),
    "refund": _on_payment(_refund),
    "sync": _sync,
    "sweep": _sweep,
    "webhook": _webhook,
    "status_check": _status_check,
    "forged_body": _forged("body"),
    "forged_signature": _forged("sig"),
    "together": _together,
    "finishes": _in_the_browser(lambda play, it, _: play.stripe.authenticate(it, success=True)),
    "drops": _in_the_browser(lambda play, it, _: play.stripe.authenticate(it, success=False)),
    "confirms": _in_the_browser(_customer_confirms),
    "dashboard_refund": _in_the_browser(
        lambda play, it, step: play.stripe.dashboard("refund", it, step.amount)
    ),
    "dashboard_capture": _in_the_browser(lambda play, it, _: play.stripe.dashboard("capture", it)),
    "dashboard_cancel": _in_the_browser(lambda play, it, _: play.stripe.dashboard("cancel", it)),
    "dashboard_dispute": _in_the_browser(lambda play, it, _: play.stripe.dashboard("dispute", it)),
}
