"""Credentials of organizations, as operators make, list and revoke them.

An organization may have any number of each kind, so a new one is good beside the old one until that
is revoked; a revoked one opens nothing from then on, nor do the tokens that came from it.
"""

import secrets

from pydantic import BaseModel, Field

from bridge import clock
from bridge.errors import NotFound
from bridge.models.credential import Credential, CredentialKind
from bridge.models.identifier import is_well_formed, new_id, suffix
from bridge.models.text import Reference
from bridge.store.access import credential_items


class NewCredential(BaseModel, frozen=True):
    """Which credential to make."""

    kind: CredentialKind
    organization_id: Reference


class CreatedCredential(BaseModel, frozen=True):
    """`to_send`: what its owner sends, by the API's own words. It is told here and never again."""

    credential: Credential
    to_send: dict[str, str] = Field(repr=False)


class CredentialsOf(BaseModel, frozen=True):
    """Whose credentials to list."""

    organization_id: Reference


class RevokedCredential(BaseModel, frozen=True):
    """Which credential to revoke."""

    organization_id: Reference
    credential_id: str


class CredentialList(BaseModel, frozen=True):
    credentials: list[Credential]


def create_credential(new: NewCredential) -> CreatedCredential:
    """Texts of 256 random bits: nobody finds one by guessing, so a plain hash of it may be kept."""
    now = clock.now()
    made = new_id("cred", now)
    to_send = _new_texts(new.kind, made)
    name, *secret = to_send.values()
    credential = Credential(
        id=made,
        kind=new.kind,
        organization_id=new.organization_id,
        ends_with=name[-4:],
        created_at=now,
    )
    credential_items.insert(credential, name, secret[0] if secret else None)
    return CreatedCredential(credential=credential, to_send=to_send)


def _new_texts(kind: CredentialKind, credential_id: str) -> dict[str, str]:
    """The credential's name, then its secret. An API key is both."""
    secret = secrets.token_hex(32)
    if kind == "api_key":  # the form that payments.ai shows: account, key, key id
        return {"api_key": f"acct_{secret}_{suffix(credential_id)}"}
    if kind == "merchant":
        return {"authenticity_token": secrets.token_hex(20), "merchant_key": secret}
    return {"client_id": f"client_{suffix(credential_id)}", "client_secret": secret}


def list_credentials(of: CredentialsOf) -> CredentialList:
    """Oldest first, the revoked ones too; no secret is in it."""
    return CredentialList(credentials=credential_items.list_all(of.organization_id))


def revoke_credential(which: RevokedCredential) -> None:
    """It opens nothing any more. May be repeated. Raises NotFound."""
    organization_id, credential_id = which.organization_id, which.credential_id
    if not (
        is_well_formed(credential_id)
        and credential_items.revoke(organization_id, credential_id, clock.now())
    ):
        raise NotFound
