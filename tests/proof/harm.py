"""The table of harm: what the proof claims to have met, and how often it was met.

A kind that was never met in a large run fails it: the proof would claim what it did not check.
Source: docs/payment-correctness.md, section 10.
"""

from collections import Counter
from collections.abc import Iterator

LARGE = 2000  # in a smaller run some kinds may not have been met

CRASH_POINTS = (
    "locking",
    "locked",
    "answered",
    "fetched",
    "committing",
    "saving",
    "committed",
    "event_received",
    "method_fetched",
    "delivered",
    "rewound",
    "paged",
    "detached",
    "hidden",
)
MEANWHILE = CRASH_POINTS[:7]
AT_THE_PROVIDER = (
    "drop_before",
    "drop_after",
    "500_before",
    "500_after",
    "truncated_body",
    "html_502",
    "429",
    "503",
    "409",
    "401",
    "403",
    "lock_timeout",
    "hang_before",
    "hang_after",
    "stale",
    "arrives late",
    "arrives at the end of the horizon",
    "outage of hours",
)
STORED_500 = ("create_payment", "update_payment", "confirm", "capture", "cancel", "refund")
AROUND_US = (
    "conflict",
    "conflict_3",
    "throttled",
    "answer_lost",
    "lagging",
    "ssm",
    "wrong clock",
    "killed as a process",
    "together",
)
WEBHOOKS = (
    "webhook twice",
    "webhooks in one second",
    "webhook before our own answer is stored",
    "redelivery",
    "dead letter",
    "forged webhook",
)
KINDS_OF_PAYMENT = (
    "guest",
    "other currency",
    "saved method",
    "equal refund amounts",
    "bank debit",
    "declined capture",
    "expired authorization",
    "refund that fails after days",
    "dispute that closes after days",
    "deletion",
    "cascading deletion",
)


def expected() -> Iterator[str]:
    """The name of every kind of harm."""
    yield from (f"killed at {point}" for point in CRASH_POINTS)
    yield from (f"meanwhile at {point}" for point in MEANWHILE)
    yield from AT_THE_PROVIDER
    yield from (f"500_stored at {operation}" for operation in STORED_500)
    yield from AROUND_US
    yield from WEBHOOKS
    yield from KINDS_OF_PAYMENT


def table(met: Counter[str]) -> str:
    """How often each kind was met."""
    return "\n".join(f"{met[name]:8} {name}" for name in expected())


def never_met(met: Counter[str], schedules: int) -> list[str]:
    """The kinds that a large run never met."""
    return [name for name in expected() if not met[name]] if schedules >= LARGE else []
