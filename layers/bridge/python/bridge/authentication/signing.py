"""Tokens that are signed and not stored: `<key id>.<signed [content, end]>`, safe in a URL.

`TOKEN_KEYS` contains `id:key` pairs, newest first. The first key signs, all keys verify. A token
that was made for one purpose is not valid for another.
"""

import hashlib
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from bridge import clock, ssm
from bridge.errors import AuthUnavailable


def _keys() -> dict[str, str]:
    """The signing keys by their ids, newest first. Raises AuthUnavailable."""
    try:
        pairs = ssm.secret("TOKEN_KEYS").split(",")
        if keys := dict(pair.strip().split(":", 1) for pair in pairs if ":" in pair):
            return keys
        raise ssm.SecretUnavailable("TOKEN_KEYS")
    except ssm.SecretUnavailable as error:
        raise AuthUnavailable("tokens cannot be signed right now", retry_after=5) from error


def _signer(key: str, purpose: str) -> URLSafeSerializer:
    return URLSafeSerializer(key, purpose, signer_kwargs={"digest_method": hashlib.sha256})


def issue(purpose: str, content: object, life_s: int) -> str:
    """A token that contains some JSON and is valid for `life_s` seconds. Raises AuthUnavailable."""
    key_id, key = next(iter(_keys().items()))
    return f"{key_id}.{_signer(key, purpose).dumps([content, clock.seconds() + life_s])}"


def check_ready() -> None:
    """Raises AuthUnavailable if no token can be issued.

    To be called before a guest's record is created: without its token nobody could open it.
    """
    _keys()


def read(purpose: str, token: str) -> Any | None:
    """The content of a token. None if we did not sign it for this purpose, or if it has expired.

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
