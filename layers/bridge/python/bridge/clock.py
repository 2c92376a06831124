"""The only reader of the time, so that tests and the local run can move it."""

from datetime import UTC, datetime, timedelta

_offset = timedelta()


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC) + _offset


def seconds() -> int:
    """The time, in whole seconds since 1970."""
    return int(now().timestamp())


def set_offset(offset_s: float) -> None:
    """Set the clock `offset_s` seconds ahead of the system's. For tests and the local run."""
    global _offset
    _offset = timedelta(seconds=offset_s)
