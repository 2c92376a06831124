"""Which pages of customers are measured, for which organizations, and the events that request them.

Monri's list has no rows: it runs the same use case as the list of payments.ai.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

EVENTS = Path(__file__).resolve().parent.parent / "events"
PAYMENTS_AI, ALTERNATIVE = "payments_ai.list_customers", "alternative.list_customers"
MIDDLE = "limit=20&created_at_end=2025-07-02T12:00:00Z"  # the middle of the year of all creations
PAGE_SIZE, DEEP = 20, 10_000
# Budgets, docs/data-model.md, section 8: reads of credential and counts; pointers per read unit.
FIXED_READS, POINTERS = 5, 34
# The budget counts pointers of 120 bytes. A long name is in a pointer three times: 175 bytes.
LONG_NAMES = 1.5
# CPU compared with the smallest organization: the same, or one more or slower query.
SAME, ONE_MORE = 1.3, 2.0


class Organization(NamedTuple):
    """An organization with so many customers, spread over so many shards."""

    customers: int
    shards: int = 1

    @property
    def id(self) -> str:
        return f"org_{self.customers:06d}_{self.shards}"

    @property
    def api_key(self) -> str:
        return f"acct_key_of_{self.id}"


ONE_SHARD = tuple(Organization(customers) for customers in (100, 10_000, 100_000))
FOUR_SHARDS = tuple(Organization(customers, shards=4) for customers in (100, 10_000))
SMALL, MEDIUM, LARGE = ONE_SHARD


class Page(NamedTuple):
    """One measured page.

    `query`: names of cursors are in braces; their values come from the page of MIDDLE.
    `length`, `status`: what the response must have. `skipped`: how many pointers are read before.
    """

    endpoint: str
    query: str
    of: tuple[Organization, ...] = ONE_SHARD
    length: int = PAGE_SIZE
    skipped: int = 0
    status: int = 200
    cpu_bar: float | None = SAME
    units_bar: float = 1.0

    def budget(self, organization: Organization) -> float:
        """How much the page may read, in read units."""
        reads_all = "search=" in self.query and self.status == 200
        pointers_read = organization.customers if reads_all else self.skipped
        others = 2 * (
            organization.shards - 1
        )  # for each other shard its page, and whether it has more
        return FIXED_READS + others + self.length + pointers_read / POINTERS


def _search(text: str, *, length: int, cpu_bar: float | None = ONE_MORE) -> Page:
    return Page(
        PAYMENTS_AI,
        f"limit=20&search={text}",
        (SMALL, MEDIUM),
        length,
        cpu_bar=cpu_bar,
        units_bar=LONG_NAMES,
    )


PAGES = {
    "payments.ai, offset 0": Page(PAYMENTS_AI, "limit=20&offset=0"),
    "payments.ai, offset 0, 4 shards": Page(PAYMENTS_AI, "limit=20&offset=0", FOUR_SHARDS),
    "payments.ai, offset 10,000": Page(  # December is skipped by its count
        PAYMENTS_AI,
        f"limit=20&offset={DEEP}",
        (LARGE,),
        skipped=DEEP - LARGE.customers * 31 // 365,
        cpu_bar=ONE_MORE,
        units_bar=LONG_NAMES,
    ),
    "Alternative, the first page": Page(ALTERNATIVE, "limit=20"),
    "Alternative, after a cursor": Page(ALTERNATIVE, "limit=20&after={end_cursor}"),
    "Alternative, before a cursor": Page(ALTERNATIVE, "limit=20&before={start_cursor}"),
    "Alternative, after a cursor, 4 shards": Page(
        ALTERNATIVE, "limit=20&after={end_cursor}", FOUR_SHARDS
    ),
    "search, one by name": _search("a+okoro000042", length=1),
    "search, one by e-mail": _search("000042@SHOP", length=1),
    "search, nobody": _search("nobody", length=0),
    "search, everybody": _search("shop.test", length=PAGE_SIZE, cpu_bar=None),  # all ids are sent
    "search, refused": Page(PAYMENTS_AI, "search=nobody", (LARGE,), length=0, status=400),
}


def event(endpoint: str, query: str, organization: Organization) -> dict[str, Any]:
    """The event of events/ with this query and the organization's own key."""
    made: dict[str, Any] = json.loads((EVENTS / f"{endpoint.replace('.', '/')}.json").read_text())
    scheme = "ApiKey " if endpoint == PAYMENTS_AI else ""
    made["headers"]["authorization"] = scheme + organization.api_key
    made["rawQueryString"] = query
    if endpoint == PAYMENTS_AI:
        path = made["rawPath"].replace(made["pathParameters"]["organization_id"], organization.id)
        made["rawPath"] = made["requestContext"]["http"]["path"] = path
        made["pathParameters"]["organization_id"] = organization.id
    return made
