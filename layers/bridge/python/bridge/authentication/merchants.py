"""Monri's merchants: WP3-v2.1 digests, and bearer tokens for clients that do not sign.

A bearer token contains the hash of its merchant's id, which is looked up on every call. So a
revoked merchant loses access at once, by digest and by token.
Source: docs/api/monri.md, sections 2 and 3.
"""

import hashlib
import hmac
from collections.abc import Collection
from urllib.parse import quote, quote_plus

from bridge import clock, config
from bridge.authentication import signing
from bridge.errors import Forbidden, NotAuthenticated
from bridge.models.caller import Caller, PrefetchIds
from bridge.models.credential import AccessToken
from bridge.store import keys
from bridge.store.access import credential_items

PURPOSE, PREFIX, LIFE_S = "monri-access", "mo_", 900
WINDOW_S = 15 * 60
MILLISECONDS = 10**11  # a greater timestamp is in milliseconds: in seconds it would be after 5138
SCOPES = frozenset({"customers", "payment-methods"})
BY_MERCHANT_ID, CUSTOMER, METHODS = "/v2/merchants/customers/", "/v2/customers/", "/payment-methods"


def authenticate(
    authorization: str, path: str, query: str, body: bytes, prefetch_ids: PrefetchIds | None = None
) -> Caller:
    """The caller for the merchant's organization.

    `path` is decoded, as the gateway delivers it. `query` is as it was sent.
    Raises NotAuthenticated, always with the same message, and AuthUnavailable.
    """
    scheme, *parts = authorization.split() or [""]
    if scheme.lower() == "wp3-v2.1" and len(parts) == 3:
        fullpaths = [each + (f"?{query}" if query else "") for each in spellings(path)]
        token, timestamp, digest = parts
        return _by_digest(token, timestamp, digest, fullpaths, body, prefetch_ids)
    if scheme.lower() == "bearer" and len(parts) == 1 and parts[0].startswith(PREFIX):
        return _by_token(parts[0].removeprefix(PREFIX), prefetch_ids)
    raise _refused()


def _refused() -> NotAuthenticated:
    return NotAuthenticated("Authorization failed", code="credential_invalid")


def _by_digest(
    token: str,
    timestamp: str,
    digest: str,
    fullpaths: Collection[str],
    body: bytes,
    prefetch_ids: PrefetchIds | None,
) -> Caller:
    if not _is_timely(timestamp):
        raise _refused()
    holder, prefetched = credential_items.find("merchant", token, prefetch_ids)
    # The digests are also computed for an unknown merchant, so that the time reveals nothing.
    key = (holder.merchant_key if holder else None) or ""
    matches = [
        _is_same(digest_of(key, timestamp, token, each, body), digest.lower()) for each in fullpaths
    ]
    if holder is None or not any(matches):
        raise _refused()
    return Caller(key_of=holder.organization_id, prefetched=prefetched)


def _is_timely(timestamp: str) -> bool:
    """Whether the timestamp, in seconds or milliseconds since 1970, is in the window (M4)."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 16):
        return False
    given = int(timestamp)
    seconds = given / 1000 if given > MILLISECONDS else given
    window = config.number("MONRI_TIMESTAMP_WINDOW_S", WINDOW_S)
    return not window or abs(clock.seconds() - seconds) <= window


def digest_of(merchant_key: str, timestamp: str, token: str, fullpath: str, body: bytes) -> str:
    """The digest of a request, in lower-case hex. Source: docs/api/monri.md, section 2.1."""
    text = f"{merchant_key}{timestamp}{token}{fullpath}"
    return hashlib.sha512(text.encode("utf-8", "surrogatepass") + body).hexdigest()


def _is_same(ours: str, given: str) -> bool:
    return hmac.compare_digest(ours.encode(), given.encode("utf-8", "surrogatepass"))


def spellings(path: str) -> list[str]:
    """The forms in which a client may have signed this path: at most five.

    The gateway has decoded the path, and clients encode it in different ways. Form encoding writes
    the tilde as Java and PHP do, and the asterisk as PHP does.
    Source: docs/api/monri.md, sections 2.2 and 2.3.
    """
    prefix = next((each for each in (BY_MERCHANT_ID, CUSTOMER) if path.startswith(each)), path)
    identifier, tail = path.removeprefix(prefix), ""
    if prefix == CUSTOMER and identifier.endswith(METHODS):
        identifier, tail = identifier.removesuffix(METHODS), METHODS
    encoded = [
        quote(identifier, safe="", errors="surrogatepass"),
        quote(identifier, safe="!'()*", errors="surrogatepass"),
        quote_plus(identifier, errors="surrogatepass").replace("~", "%7E"),
        quote(identifier, safe="/:@!$&'()*+,;=", errors="surrogatepass"),
    ]
    return list(dict.fromkeys([path, *(prefix + each + tail for each in encoded)]))


def _by_token(token: str, prefetch_ids: PrefetchIds | None) -> Caller:
    content = signing.read(PURPOSE, token)
    if content is None:
        raise _refused()
    hashed, scopes = content
    holder, prefetched = credential_items.find_hashed("merchant", hashed, prefetch_ids)
    if holder is None:
        raise _refused()
    granted = None if scopes is None else frozenset(scopes)
    return Caller(key_of=holder.organization_id, scopes=granted, prefetched=prefetched)


def issue_token(client_id: str, client_secret: str, scopes: Collection[str]) -> AccessToken:
    """A bearer token for an authenticity token (`client_id`) and its key. No scopes mean all (M5).

    Raises NotAuthenticated `client_invalid`, AuthUnavailable.
    """
    holder, _ = credential_items.find("merchant", client_id)
    is_known = _is_same((holder.merchant_key if holder else None) or "", client_secret)
    if holder is None or not is_known:
        raise NotAuthenticated("Invalid client credentials", code="client_invalid")
    known = sorted(SCOPES.intersection(scopes)) if scopes else None  # unknown scopes grant nothing
    token = signing.issue(PURPOSE, [keys.digest(client_id), known], LIFE_S)
    return AccessToken(token=PREFIX + token, life_s=LIFE_S)


def check_scope(caller: Caller, *one_of: str) -> None:
    """Raises Forbidden if a bearer token has none of these scopes. The message names the first."""
    if caller.scopes is not None and caller.scopes.isdisjoint(one_of):
        raise Forbidden(f"Scope {one_of[0]} is required", code="scope_required")
