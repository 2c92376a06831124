"""Whether the bundle can answer."""

from bridge import config
from bridge.models.health import Health
from bridge.store import table


def check(path: str) -> Health:
    """The release, and whether the ledger can be read; /health/live asks the process alone."""
    reachable = path.endswith("/live") or table.is_reachable()
    return Health(
        status="ok" if reachable else "unavailable", version=config.setting("VERSION", "dev")
    )
