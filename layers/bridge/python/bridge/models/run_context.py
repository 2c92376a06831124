"""The run that a use case is part of: how long it may take, who started it, the client's key."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel

from bridge.models.queue_message import WebhookEventReference

Cause = Literal["api", "webhook", "sweep", "reconciliation"]


class ClientKey(BaseModel, frozen=True):
    """An Idempotency-Key and the request it was sent with (B17).

    `fingerprint` is the SHA-256 of method, path and canonical JSON body.
    """

    key: str
    fingerprint: str


class RunContext(BaseModel, frozen=True):
    """One run of a function. After `ends_at` the platform lets it send nothing more.

    `event`: the provider's event that this run answers; what is learned is stored together with
    the word that it was seen. Source: design/convergence.md section 1, MAXRUN; section 4, T2.
    """

    cause: Cause
    ends_at: AwareDatetime
    client_key: ClientKey | None = None
    source_ip: str = ""
    event: WebhookEventReference | None = None
