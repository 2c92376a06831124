"""The idempotency record (B17). Source: docs/payment-correctness.md, section 5."""

from typing import Annotated, Literal

from bridge.models.model import PRIVATE, Model


class IdempotencyRecord(Model, frozen=True, kw_only=True):
    """A client's idempotency key and what became of its request.

    `key` is the key of the stored item. `fingerprint` is that of the request. `subject_id` is the
    payment, refund, customer, method or address that the request made or changed.

    `state`: `open`: the request runs, or it is not known how it ended. `done`: `snapshot` is the
    response, as JSON without secrets; `declined` means that it was a 402. `free`: the request
    ended without a response to keep, so the record is deleted.

    `expires`: when the key is forgotten. `until`: when an open request is over, for creations that
    take no payment lock. Both in seconds.
    """

    key: str
    fingerprint: str
    subject_id: str
    state: Literal["open", "done", "free"] = "open"
    declined: bool = False
    snapshot: Annotated[str | None, PRIVATE] = None
    expires: int
    until: int = 0

    @property
    def stored_response(self) -> str:
        """The response of a record that is done. Raises RuntimeError if it has none."""
        if self.snapshot is None:
            raise RuntimeError("this record holds no answer")
        return self.snapshot
