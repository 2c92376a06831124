"""What a page of customers costs in organizations with 100, 10,000 and 100,000 of them.

CPU and time are compared with the smallest organization's page, or with its first page where only a
large one has such a page; read units with the budgets of design/data-model.md 8.

DynamoDB Local counts the bytes that a call reads, also those that a filter or COUNT drops, in 4 KB
(8 KB where consistency is not asked for), as AWS does. Its time is no measure of AWS's: it walks
through a whole partition where a query has no limit, and does not end a filtered page at 1 MB.
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
    """Of each page three rows: milliseconds of our CPU, read units, milliseconds of the clock."""

    cpu: list[Row]
    units: list[Row]
    wall: list[Row]


def rows(environment: Environment) -> Tables:
    found = [_measured(environment, name, page) for name, page in PAGES.items()]
    return Tables(*(list(each) for each in zip(*found, strict=True)))


def _measured(environment: Environment, name: str, page: Page) -> tuple[Row, Row, Row]:
    wanted = [(name, each) for each in page.of]
    if len(wanted) == 1:
        wanted.insert(0, (FIRST_PAGE, SMALL))
    arguments = [(page, str(each.customers), str(each.shards)) for page, each in wanted]
    with started(environment, "benchmarks.paged", arguments) as processes:
        for process in processes:
            process.ask(WARM)
        turns = [[process.ask(BATCH) for process in processes] for _ in range(TURNS)]
        units = [process.start["read_units"] for process in processes]
    first = len(wanted) - len(page.of)

    def row(unit: str, bar: float | None) -> Row:
        spent = [[turn[number][unit] for turn in turns] for number in range(len(wanted))]
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
