"""The outbox: the events of payments, and up to which one they were delivered."""

from typing import NamedTuple

from bridge.models.model import Model, Time


class ChangedKey(NamedTuple):
    """The key of an item that has changed, from the stream of the table `ledger`."""

    pk: str
    sk: str


class Event(Model, frozen=True, kw_only=True):
    """One event as subscribers see it. A timeline entry has two of them at most.

    `name`: `payment.` and the status then displayed, `refund.` and its status, or `dispute.` and
    what changed. `about`: the refund or the dispute, by the names of the event's fields. Statuses
    are plain text here: those that an older or a newer release wrote are sent as they are.
    Source: docs/api/native.md, section 4.
    """

    payment_id: str
    sequence: int
    name: str
    from_status: str
    to_status: str
    at: Time
    about: dict[str, str | int] = {}


class EntryEvents(Model, frozen=True, kw_only=True):
    """The events of one timeline entry, in their order. Many entries have none."""

    sequence: int
    events: tuple[Event, ...]


class Cursor(Model, frozen=True, kw_only=True):
    """Up to which timeline entry the events of one payment were delivered (`sent`).

    `version`: how often the item was written, 0 before the first time. While a delivery fails,
    `failing_since` and `due_at` exist (seconds). `retries_exhausted`: the sweep tries no more.
    Source: docs/data-model.md, sections 2 and 7.
    """

    payment_id: str
    sent: int = 0
    version: int = 0
    due_at: int | None = None
    failing_since: int | None = None
    retries_exhausted: bool = False
