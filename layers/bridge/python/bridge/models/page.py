"""Pages of lists: which part a caller asks for, and the part that was found."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import AwareDatetime, BaseModel

Record = TypeVar("Record")


class Page(BaseModel, frozen=True):
    """`limit` records after the first `offset`, newest first. Fields that are not None filter."""

    limit: int = 100
    offset: int = 0
    organization_id: str | None = None
    provider_id: str | None = None
    customer_id: str | None = None


class OffsetPage(BaseModel, frozen=True):
    """The same of an organization's customers. `search`: a text in the names or the e-mail."""

    limit: int
    offset: int = 0
    search: str | None = None
    newest_first: bool = True


class CursorPage(BaseModel, frozen=True):
    """The `limit` records next to a position: older than `after`, or newer than `before`.

    Both are the 26 characters of an id; its record may be deleted. Both times are inclusive, in
    whole seconds. `name`: a text in the name. Source: docs/api/alternative.md, section 5.
    """

    limit: int
    after: str | None = None
    before: str | None = None
    created_from: AwareDatetime | None = None
    created_until: AwareDatetime | None = None
    name: str | None = None


@dataclass(frozen=True)
class Counted(Generic[Record]):
    """A page, and the number of records in the whole list."""

    records: list[Record]
    total: int


@dataclass(frozen=True)
class Between(Generic[Record]):
    """A page, newest first. `has_next`: older records exist; `has_previous`: newer ones do."""

    records: list[Record]
    has_next: bool
    has_previous: bool
