"""An Event: what happened, with the object as it was at that time. Shape: schema.json, event."""

import json
from dataclasses import dataclass
from functools import cached_property

from local.stripe.forms import schema
from local.stripe.resources.json import Json


@dataclass
class Event:
    """`previous`: the old values of the fields that changed, or None.

    `request_id`, `idempotency_key`: of the request that caused it. None if Stripe or the bank did
    it. `pending`: 1 until the endpoint has accepted it.
    """

    id: str
    created: int
    type: str
    object: Json
    previous: Json | None
    request_id: str | None
    idempotency_key: str | None
    pending: int = 0

    @cached_property
    def body(self) -> bytes:
        """The bytes of a delivery. Cached, because each try sends the same bytes."""
        sent = self.render() | {"pending_webhooks": 1}
        return json.dumps(sent, ensure_ascii=False, separators=(",", ":")).encode()

    def render(self) -> Json:
        """As the API returns it."""
        data: Json = {"object": self.object}
        if self.previous is not None:
            data["previous_attributes"] = self.previous
        return {
            "id": self.id,
            "object": "event",
            "api_version": str(schema()["version"]),
            "created": self.created,
            "data": data,
            "livemode": False,
            "pending_webhooks": self.pending,
            "request": {"id": self.request_id, "idempotency_key": self.idempotency_key},
            "type": self.type,
        }
