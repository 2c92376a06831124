"""The health check. Source: docs/api/native.md, section 6."""

from bridge import config
from bridge.models.health import Health
from bridge.store import dynamodb


def check(path: str) -> Health:
    """The release, and whether the table `ledger` can be read.

    For `/health/live` the table is not read: that path asks whether the process runs.
    """
    reachable = path.endswith("/live") or dynamodb.is_reachable()
    return Health(
        status="ok" if reachable else "unavailable", version=config.setting("VERSION", "dev")
    )
