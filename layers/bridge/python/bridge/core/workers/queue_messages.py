"""Messages of the queue: providers' events, and status checks that we have scheduled.

A message whose handling fails stays in the queue. After eight tries it moves to the dead-letter
queue (SyncQueue in template.yaml).
Source: docs/payment-correctness.md, sections 6 and 7.
"""

from typing import Any

import msgspec
from msgspec.structs import replace

from bridge import clock
from bridge.core.payment_state import event_checks, synchronize
from bridge.core.rules import crash_points, telemetry
from bridge.core.rules.telemetry import log
from bridge.core.workers import method_sync
from bridge.errors import BridgeError, InvalidRequest
from bridge.models import identifier
from bridge.models.model import Model
from bridge.models.provider import ProviderId
from bridge.models.queue_message import MethodEventReference, StatusCheck, WebhookEventReference
from bridge.models.run_context import RunContext
from bridge.providers import registry
from bridge.store.dedupe import webhook_items
from bridge.store.payments import event_counter_items, payment_items

PARTNERS: dict[str, ProviderId] = {"aws.partner/stripe.com/": "stripe"}


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
    """Find the event's payment, by our id in its object, by the provider's id, or by its parent.

    Each payment of ours has its row before its call (rule 1), so an event without a row is not
    ours: another system uses the same account at the provider.
    """
    reference = event_reference.payment_id
    if reference and _is_ours(reference) and _is_counted(reference, event_reference, run):
        return
    payment_id, is_seen = payment_items.find_for_event(event_reference, clock.seconds())
    if is_seen:
        _log_outcome(event_reference, "seen", payment_id=payment_id)
        return
    payment_id = payment_id or _find_by_parent(event_reference, run)
    if payment_id and _is_counted(payment_id, event_reference, run):
        return
    webhook_items.put_unmatched(event_reference, clock.seconds())
    telemetry.measure("unmatched_events")
    _log_outcome(event_reference, "unmatched")


def _is_counted(payment_id: str, event_reference: WebhookEventReference, run: RunContext) -> bool:
    """Count the event, then check the payment. Once it is counted, it cannot be lost (rule 14).

    Only the first event since the last check brings a check; one check serves all of a burst.
    False: there is no such payment here.
    """
    counter = event_counter_items.count(payment_id, clock.seconds())
    crash_points.reach("event_received", payment_id)
    outcome = "counted"
    if counter.brings_check:
        outcome = event_checks.check(counter, replace(run, event=event_reference))
    if outcome == "unmatched":
        return False
    if outcome in ("counted", "left"):  # else the check has marked the event as seen
        webhook_items.put_seen(event_reference, clock.seconds())
    _log_outcome(event_reference, outcome, payment_id=payment_id)
    return True


def _find_by_parent(event_reference: WebhookEventReference, run: RunContext) -> str | None:
    """Our id of the payment, if not the event's object but its parent has our reference."""
    if event_reference.parent_id is None:
        return None
    provider_id = event_reference.provider_id
    provider = registry.open_provider(provider_id)
    parent = provider.find_parent(event_reference.parent_id, ends_at=run.ends_at)
    if parent is None:
        return None
    if parent.payment_id and _is_ours(parent.payment_id):
        return parent.payment_id
    return payment_items.find_at_provider(provider_id, parent.provider_payment_id)


def _is_ours(reference: str) -> bool:
    return reference.startswith("pay_") and identifier.is_well_formed(reference)


def _check_status(status_check: StatusCheck, run: RunContext) -> None:
    """Do a status check. If it fails, or its message is lost, the payment is still due."""
    payment = payment_items.get(status_check.payment_id)
    attempt = payment.active_attempt if payment else None
    if payment is None or attempt is None or attempt.number != status_check.attempt:
        return  # somebody has found out how it ended
    try:
        synchronize.synchronize(payment, replace(run, cause="sweep"))
    except BridgeError as error:
        log.info("left to the sweep", payment_id=payment.id, error=error.code)


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
