"""What we send to SQS: events to look after, and looks that come later.

Source: design/convergence.md, sections 6 and 7; design/data-model.md 9 for the client's numbers.
"""

import json
from functools import cache
from threading import Lock
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from bridge import config
from bridge.errors import TemporarilyUnavailable
from bridge.models.event import Hint, Look

_making = Lock()


@cache
def _client(tries: int) -> Any:
    with _making:
        # A session of its own: the default one is not safe to make two clients at once.
        return boto3.session.Session().client(
            "sqs",
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
        call = getattr(_client(tries), operation)
        answer: dict[str, Any] = call(QueueUrl=config.setting("QUEUE_URL"), **arguments)
    except (BotoCoreError, ClientError) as error:
        raise TemporarilyUnavailable("the queue does not take messages", retry_after=5) from error
    return answer


def send_hint(hint: Hint) -> None:
    """Once this returns, the event is durably queued. Raises TemporarilyUnavailable."""
    body = json.dumps({"hint": hint.model_dump(exclude_none=True)})
    _send(3, "send_message", MessageBody=body)


def send_looks(look: Look, *delays_s: int) -> None:
    """Look so many seconds from now, once for each. Raises TemporarilyUnavailable.

    One try: a caller waits for its answer, and the payment is due anyway.
    """
    body = json.dumps({"look": look.model_dump(exclude_none=True)})
    entries = [
        {"Id": str(delay_s), "MessageBody": body, "DelaySeconds": delay_s} for delay_s in delays_s
    ]
    if _send(1, "send_message_batch", Entries=entries).get("Failed"):
        raise TemporarilyUnavailable("the queue did not take every message", retry_after=5)
