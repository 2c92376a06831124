"""What we send: event references and status checks to SQS, our own events to EventBridge.

Source: docs/payment-correctness.md, sections 6 and 7; docs/api/native.md, section 4; for the
settings of the clients docs/data-model.md, section 9.
"""

import json
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from bridge import aws, config
from bridge.errors import TemporarilyUnavailable
from bridge.models.model import present_values_of
from bridge.models.outbox import Event
from bridge.models.queue_message import MethodEventReference, StatusCheck, WebhookEventReference

SOURCE = "bridge.payments"
EVENTS_AT_ONCE = 10  # the limit of PutEvents


class BusUnavailable(Exception):
    """The bus took no event at all. The message is the reason."""


def _send(tries: int, operation: str, **arguments: Any) -> dict[str, Any]:
    try:
        call = getattr(aws.client("sqs", tries), operation)
        response: dict[str, Any] = call(QueueUrl=config.setting("QUEUE_URL"), **arguments)
    except (BotoCoreError, ClientError) as error:
        raise TemporarilyUnavailable("the queue does not take messages", retry_after=5) from error
    return response


def send_event_reference(event_reference: WebhookEventReference | MethodEventReference) -> None:
    """Queue an event for the worker. Once this returns, it is stored by SQS.

    Raises TemporarilyUnavailable.
    """
    kind = (
        "method_event_reference"
        if isinstance(event_reference, MethodEventReference)
        else "event_reference"
    )
    body = json.dumps({kind: present_values_of(event_reference)})
    _send(3, "send_message", MessageBody=body)


def send_status_checks(status_check: StatusCheck, *delays_s: int) -> None:
    """Queue a status check for each delay: so many seconds from now.

    There is one try only: a client may wait for its response, and the payment is due anyway.
    Raises TemporarilyUnavailable.
    """
    body = json.dumps({"status_check": present_values_of(status_check)})
    entries = [
        {"Id": str(delay_s), "MessageBody": body, "DelaySeconds": delay_s} for delay_s in delays_s
    ]
    if _send(1, "send_message_batch", Entries=entries).get("Failed"):
        raise TemporarilyUnavailable("the queue did not take every message", retry_after=5)


def put_events(events: Sequence[Event]) -> list[bool]:
    """Send at most EVENTS_AT_ONCE events. Returns for each of them whether the bus took it.

    Raises BusUnavailable if the whole call failed: the bus is unreachable, does not exist or does
    not let us write.
    """
    try:
        response = aws.client("events", 3).put_events(Entries=[_entry(event) for event in events])
    except (BotoCoreError, ClientError) as error:
        raise BusUnavailable(_reason(error)) from error
    return ["ErrorCode" not in entry for entry in response["Entries"]]


def _entry(event: Event) -> dict[str, Any]:
    detail = {
        "payment_id": event.payment_id,
        "seq": event.sequence,
        "from": event.from_status,
        "to": event.to_status,
        "at": f"{event.at:%Y-%m-%dT%H:%M:%SZ}",
        **event.about,
    }
    return {
        "Source": SOURCE,
        "DetailType": event.name,
        "Detail": json.dumps(detail),
        "Time": event.at,
        "EventBusName": config.setting("EVENT_BUS_NAME", "default"),
    }


def _reason(error: BotoCoreError | ClientError) -> str:
    if isinstance(error, ClientError):
        return str(error.response["Error"]["Code"])
    return type(error).__name__
