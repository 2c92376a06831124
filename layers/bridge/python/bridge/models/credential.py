"""Credentials of organizations: API keys, merchants, OAuth clients.

A server calls the other three APIs with one of them.
"""

from typing import Annotated, Literal

from bridge.models.model import PRIVATE, Model, Time

CredentialKind = Literal["api_key", "merchant", "oauth_client"]


class Credential(Model, frozen=True, kw_only=True):
    """A credential as operators see it, without its secret.

    The kind `merchant` is Monri's pair of an authenticity token and a key. `ends_with`: the last
    four characters of the credential's name.
    """

    id: str
    kind: CredentialKind
    organization_id: str
    ends_with: str
    created_at: Time
    revoked_at: Time | None = None


class Holder(Model, frozen=True, kw_only=True):
    """Whose a credential is, and what is needed to check its secret.

    A merchant's key is stored as it is, since a digest is computed with it. Of a client's secret
    the hash is enough. An API key has no secret besides its name.
    """

    organization_id: str
    merchant_key: Annotated[str | None, PRIVATE] = None
    secret_hash: Annotated[str | None, PRIVATE] = None


class AccessToken(Model, frozen=True, kw_only=True):
    """An access token, which is sent as a bearer token. `life_s`: how long it is valid."""

    token: Annotated[str, PRIVATE]
    life_s: int
