"""Sessions that are JSON Web Tokens, checked with the public keys of an identity provider.

Claims: `sub` is the user; OpenID Connect's `email`, `name` and `phone_number`; `organizations` is a
map of id to role or a list of `{"id", "role"}`. joserfc takes the time as an argument, so the time
is that of `bridge.clock`. It imports `cryptography`, so this module is imported in this mode only.
Source: docs/api/native.md, section 2 (B7, mode `jwt`).
"""

from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from msgspec import Struct

from bridge import clock, config, outbound
from bridge.errors import AuthUnavailable, NotAuthenticated
from bridge.models.caller import Session
from bridge.models.model import checked

# Fixed, because the token's own header could ask for `none`, or for HS256 with a public key.
ALGORITHMS = ["RS256", "ES256"]
LEEWAY_S = 30
TIMEOUT_S, TRIES = 2, 2
KEPT = timedelta(hours=1)
AGAIN = timedelta(minutes=1)  # the shortest time between two fetches for an unknown key id


class _Published(Struct, frozen=True):
    """A provider's public keys, as they were at one time."""

    keys: KeySet
    fetched_at: datetime


_published: dict[str, _Published] = {}  # by JWKS_URL
_asked_at: dict[str, datetime] = {}
_lock = Lock()


def session_of(token: str) -> Session:
    """The user of a token. Raises NotAuthenticated `session_invalid`, AuthUnavailable."""
    url, issuer = config.setting("JWKS_URL"), config.setting("JWT_ISSUER")
    audience = config.setting("JWT_AUDIENCE")
    if not (url and issuer and audience):
        raise AuthUnavailable("sessions cannot be checked: the issuer is not set up")
    rules = jwt.JWTClaimsRegistry(
        now=clock.seconds(),
        leeway=LEEWAY_S,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": audience},
        sub={"essential": True},
        exp={"essential": True},
    )
    try:
        claims = _verified(token, url)
        rules.validate(claims)
        return _session_from(claims)
    except (JoseError, AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise NotAuthenticated("the session is not valid", code="session_invalid") from error


def _verified(token: str, url: str) -> dict[str, Any]:
    try:
        return jwt.decode(token, _keys(url), algorithms=ALGORITHMS).claims
    except InvalidKeyIdError:
        if not (newer := _newer_keys(url)):
            raise
        return jwt.decode(token, newer, algorithms=ALGORITHMS).claims


def _keys(url: str) -> KeySet:
    """The provider's keys, at most one hour old. Raises AuthUnavailable."""
    with _lock:
        known = _published.get(url)
    if known and clock.now() - known.fetched_at < KEPT:
        return known.keys
    return _fetch(url)


def _newer_keys(url: str) -> KeySet | None:
    """The keys fetched again, because they may have rotated. None if fetched within a minute.

    Without this limit, anybody could send made-up key ids and make us flood the provider.
    """
    with _lock:
        is_recent = clock.now() - _asked_at[url] < AGAIN
    return None if is_recent else _fetch(url)


def _fetch(url: str) -> KeySet:
    with _lock:
        _asked_at[url] = clock.now()
    try:
        status, body = outbound.get_json(url, timeout_s=TIMEOUT_S, tries=TRIES)
        if status != 200:
            raise ValueError(status)
        keys = KeySet.import_key_set({"keys": body["keys"]})
    except (outbound.Unreachable, JoseError, KeyError, TypeError, ValueError) as error:
        raise AuthUnavailable("sessions cannot be checked right now", retry_after=5) from error
    with _lock:
        _published[url] = _Published(keys, clock.now())
    return keys


def _session_from(claims: dict[str, Any]) -> Session:
    organizations = claims.get("organizations") or {}
    if isinstance(organizations, list):
        organizations = {each["id"]: each["role"] for each in organizations}
    session = Session(
        user_id=claims["sub"],
        email=claims.get("email"),
        name=claims.get("name"),
        phone=claims.get("phone_number"),
        organizations=organizations,
        expires_at=datetime.fromtimestamp(claims["exp"], UTC),
    )
    return checked(session)
