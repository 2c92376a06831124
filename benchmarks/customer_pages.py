"""Which pages of customers are measured, of which organizations, and the events that ask for them.

Monri's list is payments.ai's by another name: the same use case, so it has no rows of its own.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

EVENTS = Path(__file__).resolve().parent.parent / "events"
PAYMENTS_AI, ALTERNATIVE = "payments_ai.list_customers", "alternative.list_customers"
MIDDLE = "limit=20&created_at_end=2025-07-02T12:00:00Z"  # of the year in which all were made
SHOWN, DEEP = 20, 10_000
# Budgets of design/data-model.md 8: who asks and how many there are, pointers to a read unit.
KNOWING, POINTERS = 5, 34
# The budget counts pointers of 120 bytes; with a long name, which is in it three times, it is 175.
LONG_NAMES = 1.5
# CPU against the smallest organization's: as much; a query more, or a longer wait for its answer.
SAME, ONE_MORE = 1.3, 2.0


class Organization(NamedTuple):
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
    """`query`: with the names of cursors in braces, which the page of MIDDLE has.

    `shown`, `status`: what its answer must be. `skipped`: how many pointers are read before.
    """

    endpoint: str
    query: str
    of: tuple[Organization, ...] = ONE_SHARD
    shown: int = SHOWN
    skipped: int = 0
    status: int = 200
    cpu_bar: float | None = SAME
    units_bar: float = 1.0

    def budget(self, organization: Organization) -> float:
        """In read units."""
        reads_all = "search=" in self.query and self.status == 200
        passed = organization.customers if reads_all else self.skipped
        others = 2 * (organization.shards - 1)  # a shard's page, and whether there is more
        return KNOWING + others + self.shown + passed / POINTERS


def _search(text: str, *, shown: int, cpu_bar: float | None = ONE_MORE) -> Page:
    return Page(
        PAYMENTS_AI,
        f"limit=20&search={text}",
        (SMALL, MEDIUM),
        shown,
        cpu_bar=cpu_bar,
        units_bar=LONG_NAMES,
    )


PAGES = {
    "payments.ai, offset 0": Page(PAYMENTS_AI, "limit=20&offset=0"),
    "payments.ai, offset 0, 4 shards": Page(PAYMENTS_AI, "limit=20&offset=0", FOUR_SHARDS),
    "payments.ai, offset 10,000": Page(  # December is jumped over
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
    "search, one by name": _search("a+okoro000042", shown=1),
    "search, one by e-mail": _search("000042@SHOP", shown=1),
    "search, nobody": _search("nobody", shown=0),
    "search, everybody": _search("shop.test", shown=SHOWN, cpu_bar=None),  # all ids are sent
    "search, refused": Page(PAYMENTS_AI, "search=nobody", (LARGE,), shown=0, status=400),
}


def event(endpoint: str, query: str, organization: Organization) -> dict[str, Any]:
    """That of events/, as the organization's own key asks."""
    made: dict[str, Any] = json.loads((EVENTS / f"{endpoint.replace('.', '/')}.json").read_text())
    scheme = "ApiKey " if endpoint == PAYMENTS_AI else ""
    made["headers"]["authorization"] = scheme + organization.api_key
    made["rawQueryString"] = query
    if endpoint == PAYMENTS_AI:
        path = made["rawPath"].replace(made["pathParameters"]["organization_id"], organization.id)
        made["rawPath"] = made["requestContext"]["http"]["path"] = path
        made["pathParameters"]["organization_id"] = organization.id
    return made
