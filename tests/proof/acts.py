"""The acts of a schedule: what clients, workers, payers, the bank and the dashboard do.

Source: docs/payment-correctness.md, section 10.
"""

import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from bridge import ssm
from bridge.bodies.customer import GuestData
from bridge.bodies.payment import (
    Cancellation,
    Capture,
    Confirmation,
    NewPayment,
    NewRefund,
    PaymentChange,
)
from bridge.bodies.payment_method import NewMethod
from bridge.core.customers import user_customers
from bridge.core.payments import change_payment, create_payment
from bridge.core.wallet import payment_methods
from bridge.core.workers import event_log, queue_messages, reconciliation, sweep
from bridge.errors import BridgeError
from bridge.models.caller import Caller
from bridge.models.page import Page
from bridge.models.payment import PaymentResult
from bridge.models.queue_message import StatusCheck
from bridge.providers import registry
from bridge.store import dynamodb
from local.stripe.errors import StripeError
from local.stripe.signing import Tamper, forge
from tests.conftest import Killed
from tests.proof.hooks import Plan, points
from tests.proof.modes import handle_event, payment_of, take_messages
from tests.proof.schedules import PlannedAct

if TYPE_CHECKING:
    from tests.proof.play import Play

BANK = "usBankAccount_"

Act = Callable[["Play", PlannedAct], object]


def _create(play: "Play", planned: PlannedAct) -> PaymentResult:
    terms = play.schedule.terms[planned.payment]
    guest = GuestData(email=play.guest_email, name="G") if terms.guest else None
    new = NewPayment(
        total_cents=planned.amount,
        currency=terms.currency,
        capture_method="manual" if terms.manual else "automatic",
        setup_future_usage="off_session" if terms.saves else None,
        guest_data=guest,
    )
    caller = Caller() if terms.guest else play.user
    result = create_payment.create_payment_intent(caller, new, play.run_context(planned))
    play.ids[planned.payment] = result.payment.id
    return result


def _on_known_payment(ask: Callable[["Play", str, PlannedAct], PaymentResult]) -> Act:
    """A call of a client that knows the payment's id."""

    def act(play: "Play", planned: PlannedAct) -> PaymentResult | None:
        known = play.ids.get(planned.payment)
        return ask(play, known, planned) if known else None

    return act


def _confirm(play: "Play", known: str, planned: PlannedAct) -> PaymentResult:
    asked = Confirmation(payment_method_id=_method(play, planned.card))
    caller = play.caller(planned.payment)
    return change_payment.confirm(caller, known, asked, play.run_context(planned))


def _method(play: "Play", card: str) -> str:
    """The id of a payment method by its name in the schedule."""
    if card == "saved":
        if play.saved_method:
            play.meet("saved method")
            return play.saved_method
        card = "visa"
    return f"pm_{card}" if card.startswith(BANK) else f"pm_card_{card}"


def _update(play: "Play", known: str, planned: PlannedAct) -> PaymentResult:
    change = PaymentChange(total_cents=planned.amount)
    caller = play.caller(planned.payment)
    return change_payment.update(caller, known, change, play.run_context(planned))


def _capture(play: "Play", known: str, planned: PlannedAct) -> PaymentResult:
    body = Capture(amount_cents=planned.amount)
    caller = play.caller(planned.payment)
    return change_payment.capture(caller, known, body, play.run_context(planned))


def _cancel(play: "Play", known: str, planned: PlannedAct) -> PaymentResult:
    caller = play.caller(planned.payment)
    return change_payment.cancel(caller, known, Cancellation(), play.run_context(planned))


def _refund(play: "Play", known: str, planned: PlannedAct) -> PaymentResult:
    body = NewRefund(amount_cents=planned.amount)
    caller = play.caller(planned.payment)
    return change_payment.refund(caller, known, body, play.run_context(planned))


def _sync(play: "Play", known: str, planned: PlannedAct) -> PaymentResult:
    caller = play.caller(planned.payment)
    payment = change_payment.sync(caller, known, play.run_context(planned))
    return PaymentResult(payment=payment)


def _attach(play: "Play", planned: PlannedAct) -> None:
    """The user saves a payment method, with which the payment may be confirmed."""
    new = NewMethod(provider_payment_method_id=_method(play, planned.card))
    result = payment_methods.create_method(play.user, new, play.run_context(planned))
    play.saved_method = result.method.id


def _delete_customer(play: "Play", planned: PlannedAct) -> None:
    """The user's customers are deleted: their methods, and perhaps their payments."""
    for customer in user_customers.list_customers(play.user, Page(limit=100)):
        user_customers.delete_customer(play.user, customer.id)
        play.meet("cascading deletion" if play.schedule.cascades else "deletion")
        play.machinery.later(60, play.machinery.work_on_jobs)


def _webhook(play: "Play", planned: PlannedAct) -> None:
    """An event of the payment, signed by Stripe, read and handled as our functions do it."""
    if event_id := _event_id(play, planned):
        handle_event(play, event_id, play.run_of("webhook"))


def _event_id(play: "Play", planned: PlannedAct) -> str:
    """The event that the act delivers."""
    row = play.row(planned)
    there = row.provider_payment_id if row else None
    events = [e.id for e in play.stripe.world.events.values() if payment_of(e) == there]
    return events[max(0, len(events) - 1 - (planned.amount or 0))] if events else ""


def _forged(tamper: Tamper) -> Act:
    """The same event, changed on its way. It must be refused."""

    def act(play: "Play", planned: PlannedAct) -> None:
        if event_id := _event_id(play, planned):
            raw, _ = play.stripe.webhooks.signed(event_id)
            secrets = [ssm.secret("STRIPE_WEBHOOK_SECRET")]
            raw, signature = forge(raw, secrets, int(play.now), tamper)
            play.meet("forged webhook")
            registry.open_provider("stripe").read_event({"stripe-signature": signature}, raw)
            play.wrong.append(f"{planned} was accepted")

    return act


def _status_check(play: "Play", planned: PlannedAct) -> None:
    """The status check that is queued when a call's outcome is unknown."""
    row = play.row(planned)
    if row and row.active_attempt:
        check = StatusCheck(payment_id=row.id, attempt=row.active_attempt.number)
        queue_messages.handle(queue_messages.Message(status_check=check), play.run_of("webhook"))


def _sweep(play: "Play", planned: PlannedAct) -> None:
    sweep.sweep(play.run_of("sweep"))
    _handle_messages(play)


def _reconcile(play: "Play", planned: PlannedAct) -> None:
    reconciliation.reconcile(play.run_of("reconciliation"))


def _read_event_log(play: "Play", planned: PlannedAct) -> None:
    event_log.read(play.run_of("event_log"))
    _handle_messages(play)


def _handle_messages(play: "Play") -> None:
    """Handle what the act has queued. If its worker dies, the other messages come later."""
    for number, (delay_s, body) in enumerate(messages := take_messages()):
        if delay_s:
            play.machinery.queue(delay_s, body)
            continue
        try:
            queue_messages.handle(queue_messages.read(body), play.run_of("webhook"))
        except BaseException:
            for later_s, each in messages[number + 1 :]:
                play.machinery.queue(later_s, each)
            raise


def _outage(play: "Play", planned: PlannedAct) -> None:
    play.begin_outage(planned.fault, planned.amount or 0)


def _at_the_provider(act: Callable[["Play", str, PlannedAct], object]) -> Act:
    """Something that happens at the provider, to a payment that it knows."""

    def do(play: "Play", planned: PlannedAct) -> None:
        row = play.row(planned)
        if row and row.provider_payment_id:
            act(play, row.provider_payment_id, planned)

    return do


def _customer_confirms(play: "Play", intent: str, planned: PlannedAct) -> None:
    secret = play.stripe.world.intents[intent].client_secret
    card = "visa" if planned.card == "saved" else planned.card
    play.stripe.browser_confirm(intent, secret, _method(play, card))


def _closes(outcome: str) -> Callable[["Play", str, PlannedAct], object]:
    def act(play: "Play", intent: str, planned: PlannedAct) -> None:
        play.stripe.dashboard("close_dispute", intent, outcome=outcome)
        play.meet("dispute that closes after days")

    return act


def _together(play: "Play", planned: PlannedAct) -> None:
    """All acts at once, each in its own thread."""
    play.meet("together")
    barrier = threading.Barrier(len(planned.meanwhile))

    def run(each: PlannedAct) -> None:
        plan = points.own.plan = Plan(each.dies)
        barrier.wait()
        try:
            with suppress(BridgeError, StripeError, Killed):
                play.call(each, plan)
        except dynamodb.VersionConflict:
            play.check_may_conflict(each.kind)
        except Exception:  # noqa: BLE001 - whatever escapes is a finding
            play.wrong.append(f"{each} raised\n{traceback.format_exc()}")

    threads = [threading.Thread(target=run, args=(each,)) for each in planned.meanwhile]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


CLIENT_CALLS: dict[str, Act] = {
    "create": _create,
    "confirm": _on_known_payment(_confirm),
    "update": _on_known_payment(_update),
    "capture": _on_known_payment(_capture),
    "cancel": _on_known_payment(_cancel),
    "refund": _on_known_payment(_refund),
    "sync": _on_known_payment(_sync),
}
ACTS: dict[str, Act] = CLIENT_CALLS | {
    "attach": _attach,
    "delete_customer": _delete_customer,
    "sweep": _sweep,
    "reconcile": _reconcile,
    "event_log": _read_event_log,
    "webhook": _webhook,
    "status_check": _status_check,
    "forged_body": _forged("body"),
    "forged_signature": _forged("sig"),
    "outage": _outage,
    "together": _together,
    "finishes": _at_the_provider(lambda play, it, _: play.stripe.authenticate(it, success=True)),
    "drops": _at_the_provider(lambda play, it, _: play.stripe.authenticate(it, success=False)),
    "confirms": _at_the_provider(_customer_confirms),
    "dashboard_refund": _at_the_provider(
        lambda play, it, planned: play.stripe.dashboard("refund", it, planned.amount)
    ),
    "dashboard_capture": _at_the_provider(lambda play, it, _: play.stripe.dashboard("capture", it)),
    "captures_decline": _at_the_provider(
        lambda play, it, _: play.stripe.dashboard("decline_captures", it)
    ),
    "authorization_expires": _at_the_provider(
        lambda play, it, _: play.stripe.dashboard("expire", it)
    ),
    "dashboard_cancel": _at_the_provider(lambda play, it, _: play.stripe.dashboard("cancel", it)),
    "dashboard_dispute": _at_the_provider(lambda play, it, _: play.stripe.dashboard("dispute", it)),
    "dispute_won": _at_the_provider(_closes("won")),
    "dispute_lost": _at_the_provider(_closes("lost")),
}
