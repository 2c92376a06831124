"""Pages of lists: which part a caller asks for, and the part that was found."""

from typing import Generic, TypeVar

from msgspec import Struct

from bridge.models.model import Model, Time

Record = TypeVar("Record")


class Page(Model, frozen=True, kw_only=True):
    """`limit` records after the first `offset`, newest first. Fields that are not None filter."""

    limit: int = 100
    offset: int = 0
    organization_id: str | None = None
    provider_id: str | None = None
    customer_id: str | None = None


class OffsetPage(Model, frozen=True, kw_only=True):
    """The same of an organization's customers. `search`: a text in the names or the e-mail."""

    limit: int
    offset: int = 0
    search: str | None = None
    newest_first: bool = True


class CursorPage(Model, frozen=True, kw_only=True):
    """The `limit` records next to a position: older than `after`, or newer than `before`.

    Both are the 26 characters of an id; its record may be deleted. Both times are inclusive, in
    whole seconds. `name`: a text in the name. Source: docs/api/alternative.md, section 5.
    """

    limit: int
    after: str | None = None
    before: str | None = None
    created_from: Time | None = None
    created_until: Time | None = None
    name: str | None = None


class Counted(Struct, Generic[Record], frozen=True):
    """A page, and the number of records in the whole list."""

    records: list[Record]
    total: int


class Between(Struct, Generic[Record], frozen=True):
    """A page, newest first. `has_next`: older records exist; `has_previous`: newer ones do."""

    records: list[Record]
    has_next: bool
    has_previous: bool
