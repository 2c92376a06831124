"""Operators create, list and revoke the credentials of organizations.

An organization may have any number of each kind. So to rotate one, create a new credential, and
revoke the old one later. A revoked credential stops working at once, and so do its access tokens.
Source: docs/architecture.md, section 2.
"""

import secrets
from typing import TYPE_CHECKING, Annotated

from bridge import clock
from bridge.errors import NotFound
from bridge.models.credential import Credential, CredentialKind
from bridge.models.identifier import is_well_formed, new_id, suffix
from bridge.models.model import PRIVATE, Model
from bridge.store.access import credential_items

if TYPE_CHECKING:
    from bridge.bodies.operator import CredentialsOf, NewCredential, RevokedCredential


class CreatedCredential(Model, frozen=True, kw_only=True):
    """A new credential.

    `to_send`: what its owner sends, under the names that its API uses. It is returned only here,
    and cannot be read again later.
    """

    credential: Credential
    to_send: Annotated[dict[str, str], PRIVATE]


class CredentialList(Model, frozen=True, kw_only=True):
    """Credentials of one organization, without their secrets."""

    credentials: list[Credential]


def create_credential(new: "NewCredential") -> CreatedCredential:
    """Create a credential and store it by its hash.

    Its secrets have 256 random bits, so they cannot be guessed, and a plain hash of them is enough.
    """
    now = clock.now()
    credential_id = new_id("cred", now)
    to_send = _new_texts(new.kind, credential_id)
    name, *secret = to_send.values()
    credential = Credential(
        id=credential_id,
        kind=new.kind,
        organization_id=new.organization_id,
        ends_with=name[-4:],
        created_at=now,
    )
    credential_items.insert(credential, name, secret[0] if secret else None)
    return CreatedCredential(credential=credential, to_send=to_send)


def _new_texts(kind: CredentialKind, credential_id: str) -> dict[str, str]:
    """The name of the credential, then its secret. An API key is both in one."""
    secret = secrets.token_hex(32)
    if kind == "api_key":  # the form of payments.ai: account, key, key id
        return {"api_key": f"acct_{secret}_{suffix(credential_id)}"}
    if kind == "merchant":
        return {"authenticity_token": secrets.token_hex(20), "merchant_key": secret}
    return {"client_id": f"client_{suffix(credential_id)}", "client_secret": secret}


def list_credentials(of: "CredentialsOf") -> CredentialList:
    """The credentials of an organization, oldest first, also the revoked ones; no secrets."""
    return CredentialList(credentials=credential_items.list_all(of.organization_id))


def revoke_credential(which: "RevokedCredential") -> None:
    """Make a credential and its tokens useless at once. May be repeated. Raises NotFound."""
    organization_id, credential_id = which.organization_id, which.credential_id
    if not (
        is_well_formed(credential_id)
        and credential_items.revoke(organization_id, credential_id, clock.now())
    ):
        raise NotFound
