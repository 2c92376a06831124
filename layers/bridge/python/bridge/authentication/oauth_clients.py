"""Alternative Payments' credentials: OAuth clients, their access tokens, and static API keys.

A token contains the hash of its client's id, which is looked up on every call. So a revoked client
loses access at once, with all its tokens. Source: docs/api/alternative.md, section 2.
"""

import base64
import hmac

from bridge.authentication import api_keys, signing
from bridge.errors import Forbidden, NotAuthenticated
from bridge.models.caller import Caller, PrefetchIds
from bridge.models.credential import AccessToken
from bridge.store import keys
from bridge.store.access import credential_items

PURPOSE, PREFIX, LIFE_S = "alternative-access", "alt_", 3600


def authenticate(authorization: str, prefetch_ids: PrefetchIds | None = None) -> Caller:
    """The caller for the client's organization.

    The header is `Bearer <text>` or only the text. The text is an access token or an API key (A2).
    Raises NotAuthenticated, AuthUnavailable.
    """
    scheme, _, rest = authorization.strip().partition(" ")
    text = rest.strip() if scheme.lower() == "bearer" else authorization.strip()
    if not text.startswith(PREFIX):
        return api_keys.authenticate(text, prefetch_ids)
    hashed = signing.read(PURPOSE, text.removeprefix(PREFIX))
    if hashed is not None:
        holder, prefetched = credential_items.find_hashed("oauth_client", hashed, prefetch_ids)
        if holder:
            return Caller(key_of=holder.organization_id, prefetched=prefetched)
    raise NotAuthenticated("the access token is not valid", code="credential_invalid")


def issue_token(authorization: str) -> AccessToken:
    """An access token for `Basic base64(client id:client secret)`.

    Raises Forbidden `invalid_credentials`, because this vendor answers 403, and AuthUnavailable.
    """
    client_id, client_secret = _basic(authorization)
    holder, _ = credential_items.find("oauth_client", client_id)
    expected = (holder.secret_hash if holder else None) or ""
    is_known = hmac.compare_digest(expected, keys.digest(client_secret))
    if holder is None or not is_known:
        raise _invalid()
    token = signing.issue(PURPOSE, keys.digest(client_id), LIFE_S)
    return AccessToken(token=PREFIX + token, life_s=LIFE_S)


def _basic(authorization: str) -> tuple[str, str]:
    """Client id and client secret, split at the first colon: a secret may contain colons."""
    scheme, _, encoded = authorization.strip().partition(" ")
    try:
        if scheme.lower() != "basic":
            raise _invalid()
        client_id, colon, client_secret = (
            base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        )
    except ValueError:
        raise _invalid() from None
    if not colon:
        raise _invalid()
    return client_id, client_secret


def _invalid() -> Forbidden:
    return Forbidden("Invalid credentials", code="invalid_credentials")
