"""Messages of the queue: providers' events, and status checks that we have scheduled.

A message whose handling fails stays in the queue. After eight tries it moves to the dead-letter
queue (SyncQueue in template.yaml).
Source: docs/payment-correctness.md, sections 6 and 7.
"""

from typing import Any

import msgspec
from msgspec.structs import replace

from bridge import clock, queues
from bridge.core.payment_state import synchronize
from bridge.core.rules import crash_points, telemetry
from bridge.core.rules.telemetry import log
from bridge.core.workers import method_sync
from bridge.errors import BridgeError, InvalidRequest, TemporarilyUnavailable
from bridge.models import identifier
from bridge.models.model import Model
from bridge.models.payment import Payment
from bridge.models.provider import ProviderId
from bridge.models.queue_message import MethodEventReference, StatusCheck, WebhookEventReference
from bridge.models.run_context import RunContext
from bridge.providers import registry
from bridge.store import dynamodb
from bridge.store.dedupe import webhook_items
from bridge.store.payments import payment_items, payment_writes

PARTNERS: dict[str, ProviderId] = {"aws.partner/stripe.com/": "stripe"}
SOON_S = 2  # most bursts of events are over by then; what comes later gets its own status check


class Message(Model, frozen=True, kw_only=True):
    """One message: an event reference or a status check of ours, or an event of a partner's bus.

    Source of the last: Amazon EventBridge, "Events": `source` and `detail`.
    """

    event_reference: WebhookEventReference | None = None
    method_event_reference: MethodEventReference | None = None
    status_check: StatusCheck | None = None
    source: str | None = None
    detail: dict[str, Any] | None = None


def read(body: dict[str, Any]) -> Message:
    """The message in the body of a queue message. Raises InvalidRequest."""
    try:
        return msgspec.convert(body, Message)
    except msgspec.ValidationError:  # its text may quote the body
        raise InvalidRequest("a message of an unknown form") from None


def handle(message: Message, run: RunContext) -> None:
    """Handle one message of the queue.

    Raises what the provider or the store raises; the message then stays in the queue. Raises
    InvalidRequest for a message that has none of the known forms.
    """
    if message.status_check:
        _check_status(message.status_check, run)
        return
    event_reference = (
        message.event_reference or message.method_event_reference or _read_partner_event(message)
    )
    if isinstance(event_reference, MethodEventReference):
        outcome, method_id = method_sync.handle_event(event_reference, run)
        _log_outcome(event_reference, outcome, payment_method_id=method_id)
    elif event_reference:
        _handle_event(event_reference, run)


def _read_partner_event(message: Message) -> WebhookEventReference | MethodEventReference | None:
    """Read an event of a partner's bus; None if it is of a type that does not concern us.

    It has no signature. The queue's policy takes such messages from the rule of that bus only.
    Raises InvalidRequest for a message of an unknown form.
    """
    for prefix, provider_id in PARTNERS.items():
        if (message.source or "").startswith(prefix):
            return registry.open_provider(provider_id).read_partner_event(message.detail)
    raise InvalidRequest("a message of an unknown form")


def _handle_event(event_reference: WebhookEventReference, run: RunContext) -> None:
    now = clock.seconds()
    if event_reference.payment_id and not _is_ours(event_reference.payment_id):
        event_reference = replace(event_reference, payment_id=None)
    is_seen, payment = payment_items.read_for_event(event_reference, now)
    if is_seen:
        _log_outcome(event_reference, "seen")
        return
    payment = payment or _find_by_parent(event_reference, run)
    # Each payment of ours has its row before its call (rule 1). Without a row, the event belongs
    # to another system that uses the same account.
    if payment is None:
        webhook_items.put_unmatched(event_reference, now)
        telemetry.measure("unmatched_events")
        _log_outcome(event_reference, "unmatched")
        return
    crash_points.reach("event_received", payment.id)
    if payment.last_event_at == now and _defer(payment, now):
        _log_outcome(event_reference, "deferred", payment_id=payment.id)
        return
    try:
        synchronize.synchronize(payment, replace(run, event=event_reference))
    except webhook_items.EventSeen:
        _log_outcome(event_reference, "seen", payment_id=payment.id)
    else:
        _log_outcome(event_reference, "checked", payment_id=payment.id)


def _is_ours(reference: str) -> bool:
    return reference.startswith("pay_") and identifier.is_well_formed(reference)


def _find_by_parent(event_reference: WebhookEventReference, run: RunContext) -> Payment | None:
    """The payment, if not the event's object but its parent has our reference."""
    if event_reference.parent_id is None:
        return None
    provider = registry.open_provider(event_reference.provider_id)
    parent = provider.find_parent(event_reference.parent_id, ends_at=run.ends_at)
    if parent is None:
        return None
    if parent.payment_id and _is_ours(parent.payment_id):
        payment = payment_items.get(parent.payment_id)
        if payment:
            return payment
    return payment_items.get_at_provider(event_reference.provider_id, parent.provider_payment_id)


def _defer(payment: Payment, now: int) -> bool:
    """Let one status check serve all events of a second: make the payment due, and queue a check.

    Returns False if another writer was faster; the event is then handled by itself.
    """
    if payment.due_at is not None and payment.due_at <= now:
        return True
    try:
        payment_writes.advance(payment, replace(payment, due_at=now))
    except dynamodb.VersionConflict:
        return False
    try:
        queues.send_status_checks(StatusCheck(payment_id=payment.id), SOON_S)
    except TemporarilyUnavailable:
        # The payment is due, so the sweep does the check.
        log.warning("status check could not be queued", payment_id=payment.id)
    return True


def _check_status(status_check: StatusCheck, run: RunContext) -> None:
    """Do a status check. If it fails, or its message is lost, the payment is still due."""
    payment = payment_items.get(status_check.payment_id)
    if payment is None or not _is_needed(status_check, payment):
        return
    try:
        synchronize.synchronize(payment, replace(run, cause="sweep"))
    except BridgeError as error:
        log.info("left to the sweep", payment_id=payment.id, error=error.code)


def _is_needed(status_check: StatusCheck, payment: Payment) -> bool:
    """Whether nobody has found out meanwhile what this check is for."""
    if status_check.attempt:
        return (
            payment.active_attempt is not None
            and payment.active_attempt.number == status_check.attempt
        )
    return payment.due_at is not None and payment.due_at <= clock.seconds()


def _log_outcome(
    event_reference: WebhookEventReference | MethodEventReference,
    outcome: str,
    *,
    payment_id: str | None = None,
    payment_method_id: str | None = None,
) -> None:
    """One line for each event: what it led to, and which record of ours it was about."""
    log.info(
        "event",
        provider=event_reference.provider_id,
        event_id=event_reference.event_id,
        event_type=event_reference.type,
        payment_id=payment_id,
        payment_method_id=payment_method_id,
        outcome=outcome,
    )
