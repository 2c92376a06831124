"""Guest tokens: signed, bound to one record, good for 30 days (B8).

`GUEST_TOKEN_KEYS` holds `id:key` pairs, newest first: the first one signs, all of them verify.
"""

import hashlib

from itsdangerous import BadData, URLSafeSerializer

from bridge import clock, config
from bridge.errors import AuthUnavailable, NotAuthenticated
from bridge.models.caller import Caller

LIFE_S = 30 * 24 * 3600


def _keys() -> dict[str, str]:
    """By key id. Raises AuthUnavailable."""
    try:
        pairs = config.secret("GUEST_TOKEN_KEYS").split(",")
        if keys := dict(pair.strip().split(":", 1) for pair in pairs if ":" in pair):
            return keys
        raise config.SecretUnavailable("GUEST_TOKEN_KEYS")
    except config.SecretUnavailable as error:
        raise AuthUnavailable("guest tokens cannot be signed right now", retry_after=5) from error


def _signer(key: str) -> URLSafeSerializer:
    return URLSafeSerializer(key, "guest-token", signer_kwargs={"digest_method": hashlib.sha256})


def issue(record_id: str) -> str:
    """A token that opens the record. Raises AuthUnavailable."""
    key_id, key = next(iter(_keys().items()))
    return f"{key_id}.{_signer(key).dumps([record_id, clock.seconds() + LIFE_S])}"


def check_ready() -> None:
    """Raises AuthUnavailable where no token could be issued, before anything has happened."""
    _keys()


def authenticate(token: str) -> Caller:
    """The guest of the token's record. Raises NotAuthenticated, AuthUnavailable."""
    key_id, _, signed = token.partition(".")
    key = _keys().get(key_id)
    try:
        if key is None:
            raise BadData("no such key")
        record_id, expires = _signer(key).loads(signed)
        if expires <= clock.seconds():
            raise BadData("expired")
    except (BadData, ValueError, TypeError) as error:
        raise NotAuthenticated("the guest token is not valid", code="session_invalid") from error
    return Caller(guest_of=record_id)
