"""Which part of a list is wanted."""

from pydantic import BaseModel


class Page(BaseModel, frozen=True):
    """`limit` records after skipping `offset`, newest first, narrowed by what is not None."""

    limit: int = 100
    offset: int = 0
    organization_id: str | None = None
    provider_id: str | None = None
    customer_id: str | None = None
