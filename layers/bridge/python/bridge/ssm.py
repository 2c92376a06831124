"""Secrets: SecureStrings of SSM below SECRETS_PREFIX. This is the only reader of SSM.

A secret is kept in memory for 300 seconds. While SSM cannot be read, a secret that was read before
is served for an hour. A failure is remembered for 5 seconds, so all secrets of a request together
cost less than that. Source: docs/decisions.md, section 96.
"""

import time
from threading import Lock
from typing import NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from bridge import aws, clock, config

KEPT_S, SERVED_S, FAILURE_S = 300, 3600, 5
TRIES, LATEST_TRY_S = 2, 2.4  # a try takes up to 3 s: 1 to connect and 2 for the answer


class SecretUnavailable(Exception):
    """A parameter does not exist or cannot be read now. The message is its name only."""


class _Unreadable(Exception):
    """SSM did not answer, or it did not let us read."""


class _Kept(NamedTuple):
    value: str
    read_at: int


_kept: dict[str, _Kept] = {}
_failed_at = 0
_reading = Lock()


def secret(name: str) -> str:
    """The value of a secret. Raises SecretUnavailable within 5 seconds."""
    path = f"{config.setting('SECRETS_PREFIX')}/{name}"
    with _reading:  # threads that wait here find what the first one has read, or its failure
        kept, now = _kept.get(path), clock.seconds()
        if kept and now < kept.read_at + KEPT_S:
            return kept.value
        try:
            value = _read(path)
        except _Unreadable:
            if kept and now < kept.read_at + SERVED_S:
                return kept.value
            raise SecretUnavailable(name) from None  # the text of the cause contains the account
        if value is None:
            raise SecretUnavailable(name)
        _kept[path] = _Kept(value, now)
        return value


def _read(path: str) -> str | None:
    """Ask SSM. None if there is no such parameter. Raises _Unreadable."""
    global _failed_at
    if 0 <= clock.seconds() - _failed_at < FAILURE_S:
        raise _Unreadable
    started = time.monotonic()
    for _ in range(TRIES):
        try:
            found = aws.client("ssm", 1).get_parameter(Name=path, WithDecryption=True)
            return str(found["Parameter"]["Value"])
        except ClientError as error:
            if error.response["Error"]["Code"] == "ParameterNotFound":
                return None
        except BotoCoreError:
            pass
        if time.monotonic() - started > LATEST_TRY_S:
            break
    _failed_at = clock.seconds()
    raise _Unreadable


def forget_secrets() -> None:
    """Read each secret again when it is needed next.

    For when a provider refuses our credentials: they may have been rotated, so what is kept must
    not be served any more.
    """
    with _reading:
        _kept.clear()
