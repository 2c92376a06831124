"""Which adapter serves a provider. Source: docs/providers.md, section A."""

from functools import cache

from bridge.errors import Detail, InvalidRequest
from bridge.models.provider import ProviderId
from bridge.providers.contract import Provider

OPEN: tuple[ProviderId, ...] = ("stripe",)


def check_open(provider_id: ProviderId) -> None:
    """Raises InvalidRequest for a provider whose adapter is not built yet."""
    if provider_id not in OPEN:
        message = f"{provider_id} is not available yet; available: {', '.join(OPEN)}"
        raise InvalidRequest(message, details=[Detail("provider_id", "is not available yet")])


@cache
def open_provider(provider_id: ProviderId) -> Provider:
    """The adapter of a provider. Raises InvalidRequest, see `check_open`."""
    check_open(provider_id)
    # Imported here: a function that never calls a provider does not pay for the SDK's import.
    from bridge.providers.stripe import Stripe

    return Stripe()
