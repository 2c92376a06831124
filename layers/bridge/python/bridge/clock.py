"""The only reader of time, so that tests and the local run can move it."""

from datetime import UTC, datetime, timedelta

_offset = timedelta()


def now() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC) + _offset


def seconds() -> int:
    """Now, in whole seconds since 1970."""
    return int(now().timestamp())


def set_offset(offset_s: float) -> None:
    """Let `now` run `offset_s` seconds ahead of the system's clock."""
    global _offset
    _offset = timedelta(seconds=offset_s)
