"""The run that a use case is part of: how long it may take, who started it, the client's key."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel

Cause = Literal["api", "webhook", "sweep", "reconciliation"]


class ClientKey(BaseModel, frozen=True):
    """An Idempotency-Key and the request it was sent with (B17).

    `fingerprint` is the SHA-256 of method, path and canonical JSON body.
    """

    key: str
    fingerprint: str


class Call(BaseModel, frozen=True):
    """One run of a function. After `ends_at` the platform lets it send nothing more.

    Source: design/convergence.md section 1, MAXRUN.
    """

    cause: Cause
    ends_at: AwareDatetime
    client_key: ClientKey | None = None
    source_ip: str = ""
