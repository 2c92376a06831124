"""The cost of a page of customers in organizations with 100, 10,000 and 100,000 customers.

CPU and time are compared with the same page of the smallest organization, or with its first page if
only a large one has such a page. Read units are compared with the budgets of docs/data-model.md,
section 8.

Like AWS, DynamoDB Local counts the bytes that a call reads in units of 4 KB (8 KB for eventually
consistent reads), also bytes that a filter or COUNT drops. Its time says nothing about AWS: it
reads a whole partition if a query has no limit, and does not end a filtered page at 1 MB.
"""

from statistics import median
from typing import NamedTuple

from benchmarks.customer_pages import ONE_SHARD, PAGES, SMALL, Page
from benchmarks.process import Environment, started
from benchmarks.table import Row

TURNS, BATCH, WARM = 8, 5, 5
COLUMNS = tuple(f"{organization.customers:,}" for organization in ONE_SHARD)
FIRST_PAGE = "payments.ai, offset 0"


class Tables(NamedTuple):
    """Three rows for each page: milliseconds of our CPU, read units, milliseconds of time."""

    cpu: list[Row]
    units: list[Row]
    wall: list[Row]


def rows(environment: Environment) -> Tables:
    """Measure every page."""
    found = [_measured(environment, name, page) for name, page in PAGES.items()]
    return Tables(*(list(each) for each in zip(*found, strict=True)))


def _measured(environment: Environment, name: str, page: Page) -> tuple[Row, Row, Row]:
    compared = [(name, each) for each in page.of]
    if len(compared) == 1:
        compared.insert(0, (FIRST_PAGE, SMALL))
    arguments = [(page, str(each.customers), str(each.shards)) for page, each in compared]
    with started(environment, "benchmarks.paged", arguments) as processes:
        for process in processes:
            process.ask(WARM)
        turns = [[process.ask(BATCH) for process in processes] for _ in range(TURNS)]
        units = [process.start["read_units"] for process in processes]
    first = len(compared) - len(page.of)

    def row(unit: str, bar: float | None) -> Row:
        spent = [[turn[number][unit] for turn in turns] for number in range(len(compared))]
        ratio = max(
            median(other / base for other, base in zip(each, spent[0], strict=True))
            for each in spent[1:]
        )
        return Row(name, _by_size(page, [median(each) for each in spent[first:]]), ratio, bar)

    budgets = (read / page.budget(each) for read, each in zip(units[first:], page.of, strict=True))
    read = Row(name, _by_size(page, units[first:]), max(budgets), page.units_bar)
    return row("cpu_ms", page.cpu_bar), read, row("wall_ms", None)


def _by_size(page: Page, figures: list[float]) -> tuple[float | None, ...]:
    known = {each.customers: figure for each, figure in zip(page.of, figures, strict=True)}
    return tuple(known.get(each.customers) for each in ONE_SHARD)
