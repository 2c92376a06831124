"""Rate limits for guests and for expensive searches. 0 switches a configured limit off.

Source: docs/api/native.md, section 1 (B5).
"""

from bridge import clock, config
from bridge.errors import RateLimited
from bridge.models.run_context import RunContext
from bridge.models.text import fold_email
from bridge.store.access import rate_limit_items
from bridge.store.access.rate_limit_items import Limit

SECOND, MINUTE, HOUR = 1, 60, 3600


def check_guest_creation(run: RunContext, email: str) -> None:
    """Count a creation by a guest, by IP address and by e-mail. Raises RateLimited."""
    per_minute = config.number("GUEST_CREATIONS_PER_MINUTE", 20)
    per_hour = config.number("GUEST_CREATIONS_PER_HOUR", 10)
    _take(
        Limit("guest-creation-ip", run.source_ip, MINUTE, per_minute),
        Limit("guest-creation-email", fold_email(email), HOUR, per_hour),
    )


def check_guest_listing(run: RunContext) -> None:
    """Count a read of the list of guest payments, by IP address. Raises RateLimited."""
    per_minute = config.number("GUEST_LISTINGS_PER_MINUTE", 30)
    _take(Limit("guest-listing-ip", run.source_ip, MINUTE, per_minute))


def check_search(organization_id: str) -> None:
    """Count a search of an organization. Raises RateLimited.

    A search reads every customer of the organization. Source: docs/data-model.md, section 5.
    """
    _take(Limit("customer-search", organization_id, SECOND, 2))


def _take(*limits: Limit) -> None:
    now = clock.seconds()
    for limit in limits:
        if not rate_limit_items.take(limit, now):
            left = limit.window_s - now % limit.window_s
            raise RateLimited("too many requests", retry_after=left)
