"""The local event bus: moto's EventBridge, and one subscriber that remembers what it receives."""

import json
import threading
from collections import deque
from datetime import UTC, datetime
from typing import Any

from moto.events.models import Rule

from local import database

NAME = "default"
SUBSCRIBER = "bridge-local-subscriber"
REMEMBERED = 10_000

_lock = threading.Lock()
_sent: deque[dict[str, Any]] = deque(maxlen=REMEMBERED)


def start() -> None:
    """Subscribe to our events. A second call forgets the events that were received."""
    # moto's own method needs a JSONPath library to copy an event.
    Rule.send_to_targets = _remember  # type: ignore[assignment,method-assign]
    pattern = json.dumps({"source": ["bridge.payments"]})
    database.client("events").put_rule(
        Name=SUBSCRIBER, EventBusName=NAME, EventPattern=pattern, State="ENABLED"
    )
    with _lock:
        _sent.clear()


def events() -> list[dict[str, Any]]:
    """The events that the subscriber received, oldest first, in EventBridge's form."""
    with _lock:
        return list(_sent)


def _remember(rule: Rule, event: Any, transform_input: bool = True) -> None:  # noqa: ARG001 as moto's
    if rule.name == SUBSCRIBER and rule.event_pattern.matches_event(event):
        at = datetime.fromtimestamp(event["time"], UTC)
        with _lock:
            _sent.append(dict(event) | {"time": f"{at:%Y-%m-%dT%H:%M:%SZ}"})
