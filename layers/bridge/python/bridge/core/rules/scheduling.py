"""When to try again, and whether a run still has time to begin something.

Source: docs/payment-correctness.md, section 8; docs/data-model.md, sections 6 and 7.
"""

from collections.abc import Sequence

from bridge import clock
from bridge.models.run_context import RunContext

MINUTE, HOUR = 60, 3600
FAILING_S = (MINUTE, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE)
WRITE_TRIES = 4  # how often a write is tried after version conflicts, before the caller must wait
SPARE_S = 12  # with less time left, a call to a provider and the write after it may not finish


def next_try(
    since: int, now: int, ages_s: Sequence[int] = FAILING_S, at_least_every_s: int = HOUR
) -> int:
    """When to try again something that has failed since `since`. All in seconds.

    It is the first of `since + ages_s` that is still to come, but at most `at_least_every_s` from
    now.
    """
    later = [since + age for age in ages_s if since + age > now]
    return min([*later, now + at_least_every_s])


def has_time(run: RunContext, spare_s: int = SPARE_S) -> bool:
    """Whether the run has at least `spare_s` seconds left, enough to begin a call to a provider."""
    return (run.ends_at - clock.now()).total_seconds() >= spare_s
