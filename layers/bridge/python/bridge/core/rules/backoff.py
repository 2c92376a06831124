"""When to try again: soon at first, then less and less often, never not at all."""

from collections.abc import Sequence

MINUTE, HOUR = 60, 3600
FAILING_S = (MINUTE, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE)


def next_try(
    since: int, now: int, ages_s: Sequence[int] = FAILING_S, at_least_every_s: int = HOUR
) -> int:
    """The first of the ages that is still to come. `since`: when it began. All in seconds."""
    later = [since + age for age in ages_s if since + age > now]
    return min([*later, now + at_least_every_s])
