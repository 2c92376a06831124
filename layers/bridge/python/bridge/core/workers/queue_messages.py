"""What the queue delivers: events of providers, and looks that were put off.

Source: design/convergence.md, sections 6 and 7.
"""

from typing import Any

from aws_lambda_powertools import Logger
from pydantic import BaseModel

from bridge import clock, queues
from bridge.core.payment_state import synchronize
from bridge.core.rules import crash_points, telemetry
from bridge.core.workers import method_sync
from bridge.errors import BridgeError, InvalidRequest, TemporarilyUnavailable
from bridge.models import identifier
from bridge.models.call import Call
from bridge.models.event import Hint, Look, MethodHint
from bridge.models.payment import Payment
from bridge.models.provider import ProviderId
from bridge.providers import registry
from bridge.store.dedupe import webhook_items
from bridge.store.payments import payment_items, payment_writes

PARTNERS: dict[str, ProviderId] = {"aws.partner/stripe.com/": "stripe"}
SOON_S = 2  # a burst of events is over by then, or is looked at once more

log = Logger(child=True)


class Message(BaseModel, frozen=True, hide_input_in_errors=True):
    """One message: a hint or a look of our own, or an event as a partner's bus wraps it.

    Source of the last: Amazon EventBridge, "Events": `source` and `detail`.
    """

    hint: Hint | None = None
    method_hint: MethodHint | None = None
    look: Look | None = None
    source: str | None = None
    detail: dict[str, Any] | None = None


def handle(message: Message, call: Call) -> None:
    """Raises what the provider or the store raises: the message then stays in the queue."""
    if message.look:
        _look(message.look, call)
        return
    hint = message.hint or message.method_hint or _unwrapped(message)
    if isinstance(hint, MethodHint):
        outcome, method_id = method_sync.hear(hint, call)
        _tell(hint, outcome, payment_method_id=method_id)
    elif hint:
        _hear(hint, call)


def _unwrapped(message: Message) -> Hint | MethodHint | None:
    """A partner's event. It is not signed: the queue takes such messages from its bus alone.

    Raises InvalidRequest for a message of a form that nobody sends.
    """
    for prefix, provider_id in PARTNERS.items():
        if (message.source or "").startswith(prefix):
            return registry.open_provider(provider_id).read_partner_event(message.detail)
    raise InvalidRequest("a message of an unknown form")


def _hear(hint: Hint, call: Call) -> None:
    now = clock.seconds()
    if hint.payment_id and not _is_ours(hint.payment_id):
        hint = hint.model_copy(update={"payment_id": None})
    is_seen, payment = payment_items.read_for_event(hint, now)
    if is_seen:
        _tell(hint, "seen")
        return
    payment = payment or _of_parent(hint, call)
    if payment is None:  # another system's, by the same account: each of ours has a row (rule 1)
        webhook_items.put_unmatched(hint, now)
        telemetry.measure("unmatched_events")
        _tell(hint, "unmatched")
        return
    crash_points.step("heard", payment.id)
    if payment.heard_at == now and _put_off(payment, now):
        _tell(hint, "put off", payment_id=payment.id)
        return
    try:
        synchronize.converge(payment, call.model_copy(update={"event": hint}))
    except webhook_items.EventSeen:
        _tell(hint, "seen", payment_id=payment.id)
    else:
        _tell(hint, "looked", payment_id=payment.id)


def _is_ours(reference: str) -> bool:
    return reference.startswith("pay_") and identifier.is_well_formed(reference)


def _of_parent(hint: Hint, call: Call) -> Payment | None:
    """By the object that bears our reference, where the event's own does not."""
    if hint.parent_id is None:
        return None
    provider = registry.open_provider(hint.provider_id)
    parent = provider.find_parent(hint.parent_id, ends_at=call.ends_at)
    if parent is None:
        return None
    if parent.payment_id and _is_ours(parent.payment_id):
        payment = payment_items.get(parent.payment_id)
        if payment:
            return payment
    return payment_items.get_at_provider(hint.provider_id, parent.provider_payment_id)


def _put_off(payment: Payment, now: int) -> bool:
    """Let one look answer all events of a second: the payment is due now, and looked at soon.

    False where another writer was faster; this event then brings a look of its own.
    """
    if payment.due_at is not None and payment.due_at <= now:
        return True
    try:
        payment_writes.advance(payment, payment.model_copy(update={"due_at": now}))
    except payment_writes.Outrun:
        return False
    try:
        queues.send_looks(Look(payment_id=payment.id), SOON_S)
    except TemporarilyUnavailable:
        log.warning("look could not be queued", payment_id=payment.id)  # the sweep comes
    return True


def _look(look: Look, call: Call) -> None:
    """Where a look fails, or its message is lost, the payment is still due."""
    payment = payment_items.get(look.payment_id)
    if payment is None or not _is_wanted(look, payment):
        return
    try:
        synchronize.converge(payment, call.model_copy(update={"cause": "sweep"}))
    except BridgeError as error:
        log.info("left to the sweep", payment_id=payment.id, error=error.code)


def _is_wanted(look: Look, payment: Payment) -> bool:
    """Whether what it was put off for has not been found out meanwhile."""
    if look.attempt:
        return payment.live is not None and payment.live.number == look.attempt
    return payment.due_at is not None and payment.due_at <= clock.seconds()


def _tell(
    hint: Hint | MethodHint,
    outcome: str,
    *,
    payment_id: str | None = None,
    payment_method_id: str | None = None,
) -> None:
    """One line for each event: what it came to, and of which record of ours it spoke."""
    log.info(
        "event",
        provider=hint.provider_id,
        event_id=hint.event_id,
        event_type=hint.type,
        payment_id=payment_id,
        payment_method_id=payment_method_id,
        outcome=outcome,
    )
