"""What we send: to SQS events to look after and looks that come later, to EventBridge our events.

Source: design/convergence.md, sections 6 and 7; contracts/bridge.md section 4, last lines;
design/data-model.md 9 for the clients' numbers.
"""

import json
from collections.abc import Sequence
from functools import cache
from threading import Lock
from typing import Any, Literal

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from bridge import config
from bridge.errors import TemporarilyUnavailable
from bridge.models.outbox import Event
from bridge.models.queue_message import MethodEventReference, StatusCheck, WebhookEventReference

SOURCE = "bridge.payments"
EVENTS_AT_ONCE = 10  # PutEvents takes no more

_making = Lock()


class BusUnavailable(Exception):
    """The bus took no event, for the reason that is the message."""


@cache
def client(service: Literal["sqs", "events"], tries: int) -> Any:
    """One per process and number of tries."""
    with _making:
        # A session of its own: the default one is not safe to make two clients at once.
        return boto3.session.Session().client(
            service,
            config=Config(
                retries={"mode": "standard", "total_max_attempts": tries},
                connect_timeout=1,
                read_timeout=2,
                tcp_keepalive=True,
                max_pool_connections=50,
            ),
        )


def _send(tries: int, operation: str, **arguments: Any) -> dict[str, Any]:
    try:
        call = getattr(client("sqs", tries), operation)
        response: dict[str, Any] = call(QueueUrl=config.setting("QUEUE_URL"), **arguments)
    except (BotoCoreError, ClientError) as error:
        raise TemporarilyUnavailable("the queue does not take messages", retry_after=5) from error
    return response


def send_event_reference(event_reference: WebhookEventReference | MethodEventReference) -> None:
    """Once this returns, the event is durably queued. Raises TemporarilyUnavailable."""
    kind = (
        "method_event_reference"
        if isinstance(event_reference, MethodEventReference)
        else "event_reference"
    )
    body = json.dumps({kind: event_reference.model_dump(exclude_none=True)})
    _send(3, "send_message", MessageBody=body)


def send_status_checks(status_check: StatusCheck, *delays_s: int) -> None:
    """Look so many seconds from now, once for each. Raises TemporarilyUnavailable.

    One try: a caller waits for its answer, and the payment is due anyway.
    """
    body = json.dumps({"status_check": status_check.model_dump(exclude_none=True)})
    entries = [
        {"Id": str(delay_s), "MessageBody": body, "DelaySeconds": delay_s} for delay_s in delays_s
    ]
    if _send(1, "send_message_batch", Entries=entries).get("Failed"):
        raise TemporarilyUnavailable("the queue did not take every message", retry_after=5)


def put_events(events: Sequence[Event]) -> list[bool]:
    """For each of at most EVENTS_AT_ONCE events, whether the bus took it.

    Raises BusUnavailable where it took none: unreachable, not there, or not ours to write to.
    """
    try:
        response = client("events", 3).put_events(Entries=[_entry(event) for event in events])
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
