"""When to try again, and whether a run still has time to begin something."""

from collections.abc import Sequence

from bridge import clock
from bridge.models.run_context import RunContext

MINUTE, HOUR = 60, 3600
FAILING_S = (MINUTE, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE)
WRITE_TRIES = 4  # how often a write is tried on a newer version, before the caller is told to wait
SPARE_S = 12  # with less left a provider or the bus would hardly answer, nor the store after it


def next_try(
    since: int, now: int, ages_s: Sequence[int] = FAILING_S, at_least_every_s: int = HOUR
) -> int:
    """The first of the ages that is still to come. `since`: when it began. All in seconds."""
    later = [since + age for age in ages_s if since + age > now]
    return min([*later, now + at_least_every_s])


def has_time(run: RunContext, spare_s: int = SPARE_S) -> bool:
    """Whether something may be begun that asks somebody else."""
    return (run.ends_at - clock.now()).total_seconds() >= spare_s
