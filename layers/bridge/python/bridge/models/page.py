"""Which part of a list is wanted, and the part that was found."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import AwareDatetime, BaseModel

Record = TypeVar("Record")


class Page(BaseModel, frozen=True):
    """`limit` records after skipping `offset`, newest first, narrowed by what is not None."""

    limit: int = 100
    offset: int = 0
    organization_id: str | None = None
    provider_id: str | None = None
    customer_id: str | None = None


class OffsetPage(BaseModel, frozen=True):
    """The same of an organization's customers. `search`: contained in names or e-mail."""

    limit: int
    offset: int = 0
    search: str | None = None
    newest_first: bool = True


class CursorPage(BaseModel, frozen=True):
    """The `limit` records nearest to a position: older than `after`, or newer than `before`.

    Both are the 26 characters of an id, whose record may be gone. The times are inclusive, to the
    second; `name` is contained in the name.
    """

    limit: int
    after: str | None = None
    before: str | None = None
    created_from: AwareDatetime | None = None
    created_until: AwareDatetime | None = None
    name: str | None = None


@dataclass(frozen=True)
class Counted(Generic[Record]):
    """A page, and how many records there are in all."""

    records: list[Record]
    total: int


@dataclass(frozen=True)
class Between(Generic[Record]):
    """A page newest first, and whether older (`has_next`) and newer (`has_previous`) ones exist."""

    records: list[Record]
    has_next: bool
    has_previous: bool
