"""What opens one organization's records to a server: API keys, merchants, OAuth clients."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, Field

CredentialKind = Literal["api_key", "merchant", "oauth_client"]


class Credential(BaseModel, frozen=True):
    """A credential as operators see it. `merchant`: an authenticity token and its key, as Monri
    has them. `ends_with`: the last four characters of its name."""

    id: str
    kind: CredentialKind
    organization_id: str
    ends_with: str
    created_at: AwareDatetime
    revoked_at: AwareDatetime | None = None


class Holder(BaseModel, frozen=True):
    """Whose a credential is, and what its secret is checked by: a digest needs the merchant's key
    itself, a client's secret is compared by its hash, an API key has nothing beside its name."""

    organization_id: str
    merchant_key: str | None = Field(default=None, repr=False)
    secret_hash: str | None = Field(default=None, repr=False)


class AccessToken(BaseModel, frozen=True):
    """What OAuth's client credentials bring: a word that is sent as a bearer token."""

    token: str = Field(repr=False)
    life_s: int
