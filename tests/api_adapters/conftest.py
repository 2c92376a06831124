"""What the tests of the API adapters share: a request as API Gateway delivers it, and a time."""

import json
from datetime import datetime, timedelta, timezone
from typing import Any

from bridge import clock
from bridge.inbound import Request

# A time in another zone and with microseconds; the APIs show it as 2026-01-15T10:30:00Z.
AT = datetime(2026, 1, 15, 11, 30, 0, 999_999, tzinfo=timezone(timedelta(hours=1)))


def request_of(query: str = "", method: str = "GET", **more: Any) -> Request:
    """A request whose other parts may be replaced. A `body` that is not bytes is sent as JSON."""
    known: dict[str, Any] = {
        "method": method,
        "path": "/bridge-payment/payments",
        "raw_query": query,
        "headers": {},
        "path_parameters": {},
        "body": b"",
        "route": "",
        "source_ip": "192.0.2.1",
        "id": "req-1",
        "ends_at": clock.now() + timedelta(seconds=25),
    }
    if not isinstance(more.get("body", b""), bytes):
        more["body"] = json.dumps(more["body"]).encode()
    return Request(**known | more)
