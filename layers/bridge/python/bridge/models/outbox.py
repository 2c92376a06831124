"""The outbox: what subscribers are told of a payment, and how far they have been told."""

from typing import NamedTuple

from pydantic import AwareDatetime, BaseModel


class ChangedKey(NamedTuple):
    """The key of an item that a stream of the ledger says has changed."""

    pk: str
    sk: str


class Event(BaseModel, frozen=True):
    """One timeline entry as subscribers see it. `name` is `payment.` and the status then shown.

    The statuses are words of the store at the time of writing, so an older or a newer release's
    are passed on as they are.
    """

    payment_id: str
    sequence: int
    name: str
    from_status: str
    to_status: str
    at: AwareDatetime


class Cursor(BaseModel, frozen=True):
    """How far one subscriber has been told of one payment: `sent` is the last sequence delivered.

    `fence` counts the writes to the item, 0 before the first. `due_at` (seconds) exists while a
    delivery fails, as `failing_since` does; `is_parked`: the sweep has given up.
    Source: design/data-model.md 2 and 7.
    """

    payment_id: str
    sent: int = 0
    version: int = 0
    due_at: int | None = None
    failing_since: int | None = None
    retries_exhausted: bool = False
