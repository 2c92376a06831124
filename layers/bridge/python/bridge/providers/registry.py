"""Which adapter serves a provider, imported when it is first asked for."""

from functools import cache

from bridge.errors import Detail, InvalidRequest
from bridge.models.provider import ProviderId
from bridge.providers.contract import Provider

OPEN: tuple[ProviderId, ...] = ("stripe",)


def check_open(provider_id: ProviderId) -> None:
    """Raises InvalidRequest for a provider whose adapter is not there yet."""
    if provider_id not in OPEN:
        message = f"{provider_id} is not available yet; available: {', '.join(OPEN)}"
        raise InvalidRequest(message, details=[Detail("provider_id", "is not available yet")])


@cache
def open_provider(provider_id: ProviderId) -> Provider:
    """The adapter. Its import is paid by the first call that needs it, never by a read."""
    check_open(provider_id)
    from bridge.providers.stripe import Stripe

    return Stripe()
