"""The run context: when the run of a function ends, why it runs, the client's key.

Source: docs/payment-correctness.md, section 1.
"""

from typing import Literal

from bridge.models.model import Model, Time
from bridge.models.queue_message import WebhookEventReference

Cause = Literal["api", "webhook", "sweep", "reconciliation"]


class ClientKey(Model, frozen=True, kw_only=True):
    """An Idempotency-Key and the fingerprint of the request that it came with (B17).

    `fingerprint` is the SHA-256 of method, path and canonical JSON body.
    """

    key: str
    fingerprint: str


class RunContext(Model, frozen=True, kw_only=True):
    """One run of a function. After `ends_at` the platform stops it, so it sends nothing more.

    `cause`: what started it; timeline entries contain it. `event`: the provider's event that this
    run handles. It is marked as seen in the same transaction that saves what was found.
    """

    cause: Cause
    ends_at: Time
    client_key: ClientKey | None = None
    source_ip: str = ""
    event: WebhookEventReference | None = None
