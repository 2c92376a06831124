"""Tokens that are signed instead of stored: `<key id>.<signed [content, end]>`, one URL-safe word.

`TOKEN_KEYS` holds `id:key` pairs, newest first: the first one signs, all of them verify. A token
made for one purpose is none for another.
"""

import hashlib
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from bridge import clock, config
from bridge.errors import AuthUnavailable


def _keys() -> dict[str, str]:
    """By key id. Raises AuthUnavailable."""
    try:
        pairs = config.secret("TOKEN_KEYS").split(",")
        if keys := dict(pair.strip().split(":", 1) for pair in pairs if ":" in pair):
            return keys
        raise config.SecretUnavailable("TOKEN_KEYS")
    except config.SecretUnavailable as error:
        raise AuthUnavailable("tokens cannot be signed right now", retry_after=5) from error


def _signer(key: str, purpose: str) -> URLSafeSerializer:
    return URLSafeSerializer(key, purpose, signer_kwargs={"digest_method": hashlib.sha256})


def issue(purpose: str, content: object, life_s: int) -> str:
    """A token of some JSON. Raises AuthUnavailable."""
    key_id, key = next(iter(_keys().items()))
    return f"{key_id}.{_signer(key, purpose).dumps([content, clock.seconds() + life_s])}"


def check_ready() -> None:
    """Raises AuthUnavailable where no token could be issued, before anything has happened."""
    _keys()


def read(purpose: str, token: str) -> Any | None:
    """What was signed; None where it was not by us, not for this, or has ended.

    Raises AuthUnavailable.
    """
    key_id, _, signed = token.partition(".")
    key = _keys().get(key_id)
    if key is None:
        return None
    try:
        content, ends = _signer(key, purpose).loads(signed)
        return content if ends > clock.seconds() else None
    except (BadData, ValueError, TypeError):
        return None
