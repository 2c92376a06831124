"""What the tests of the API adapters share: requests of API Gateway, a time, errors."""

import json
from datetime import datetime, timedelta, timezone
from typing import Any

from bridge import clock
from bridge.errors import (
    AuthUnavailable,
    BodyTooLarge,
    BridgeError,
    Conflict,
    Detail,
    Forbidden,
    InvalidRequest,
    NotAuthenticated,
    NotFound,
    RateLimited,
    TemporarilyUnavailable,
)
from bridge.inbound import Request

# A time in another zone and with microseconds; the APIs show it as 2026-01-15T10:30:00Z.
AT = datetime(2026, 1, 15, 11, 30, 0, 999_999, tzinfo=timezone(timedelta(hours=1)))


# The errors that every API of organizations has to tell, each in its own way.
ERRORS: dict[str, BridgeError] = {
    "invalid_json": InvalidRequest("the body is not valid JSON", code="invalid_json"),
    "validation_failed": InvalidRequest("not valid: name", details=[Detail("name", "is odd")]),
    "credential_invalid": NotAuthenticated("who?", code="credential_invalid"),
    "authentication_required": NotAuthenticated("credentials are required"),
    "forbidden": Forbidden("no"),
    "not_found": NotFound(),
    "customer_deleted": Conflict("the customer is deleted", code="customer_deleted"),
    "body_too_large": BodyTooLarge("too much"),
    "rate_limited": RateLimited("slower", retry_after=1),
    "internal_error": BridgeError("something went wrong on our side"),
    "auth_unavailable": AuthUnavailable("tokens cannot be signed", retry_after=5),
    "temporarily_unavailable": TemporarilyUnavailable("the store is busy", retry_after=1),
}


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
