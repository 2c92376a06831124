"""The body of /health. Source: docs/api/native.md, section 6."""

from typing import Literal

from bridge.models.model import Model


class Health(Model, frozen=True, kw_only=True):
    """Status and release. `unavailable`: the table `ledger` cannot be read."""

    status: Literal["ok", "unavailable"]
    version: str

    @property
    def http_status(self) -> int:
        """200, or 503 if unavailable."""
        return 200 if self.status == "ok" else 503
