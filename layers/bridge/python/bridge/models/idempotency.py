"""The memory of an Idempotency-Key (B17)."""

from typing import Literal

from pydantic import BaseModel


class IdempotencyRecord(BaseModel, frozen=True):
    """One key and what became of its request.

    `key` is the record's own place in the store. `state` open: the request runs, or nobody knows
    how it ended; done: `snapshot` holds the record it answered with, as JSON without secrets, and
    `declined` says that the answer was a 402; free: it ended without an answer worth keeping.
    `until`: where no payment tells, the second after which an open request is over.
    """

    key: str
    fingerprint: str
    subject_id: str
    state: Literal["open", "done", "free"] = "open"
    declined: bool = False
    snapshot: str | None = None
    expires: int
    until: int = 0

    @property
    def stored_response(self) -> str:
        """The stored answer of a record that is done."""
        if self.snapshot is None:
            raise RuntimeError("this record holds no answer")
        return self.snapshot
