"""When to try again what fails: soon at first, then less and less often, at least hourly."""

MINUTE, HOUR = 60, 3600
AGES_S = (MINUTE, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE)


def next_try(since: int, now: int) -> int:
    """`since`: when it began to fail. All in seconds."""
    later = [since + age for age in AGES_S if since + age > now]
    return min([*later, now + HOUR])
