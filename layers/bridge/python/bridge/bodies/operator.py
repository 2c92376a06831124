"""The input of the functions that operators invoke. Source: docs/architecture.md, section 2."""

from pydantic import AwareDatetime, BaseModel, Field

from bridge.bodies.fields import Reference
from bridge.models.caller import Role
from bridge.models.credential import CredentialKind


class SessionEvent(BaseModel, frozen=True, hide_input_in_errors=True):
    """A session to write, with the id that its user will send. `organizations`: role by id."""

    session_id: str = Field(min_length=16, max_length=4096, repr=False)
    user_id: str
    email: str | None = Field(default=None, repr=False)
    name: str | None = Field(default=None, repr=False)
    phone: str | None = Field(default=None, repr=False)
    organizations: dict[str, Role] = {}
    expires_at: AwareDatetime


class NewCredential(BaseModel, frozen=True):
    """Which credential to create: its kind, and for which organization."""

    kind: CredentialKind
    organization_id: Reference


class CredentialsOf(BaseModel, frozen=True):
    """The organization whose credentials to list."""

    organization_id: Reference


class RevokedCredential(BaseModel, frozen=True):
    """Which credential to revoke."""

    organization_id: Reference
    credential_id: str


class ReplayEvent(BaseModel, frozen=True):
    """Which events to deliver again: those of one payment from a sequence number on."""

    payment_id: str
    from_sequence: int = Field(ge=1, strict=True)
