"""Whether the bundle can answer."""

from bridge import config
from bridge.models.health import Health
from bridge.store import dynamodb


def check(path: str) -> Health:
    """The release, and whether the ledger can be read; /health/live asks the process alone."""
    reachable = path.endswith("/live") or dynamodb.is_reachable()
    return Health(
        status="ok" if reachable else "unavailable", version=config.setting("VERSION", "dev")
    )
