"""What /health tells."""

from typing import Literal

from pydantic import BaseModel


class Health(BaseModel, frozen=True):
    """`unavailable`: the ledger cannot be read."""

    status: Literal["ok", "unavailable"]
    version: str

    @property
    def http_status(self) -> int:
        return 200 if self.status == "ok" else 503
