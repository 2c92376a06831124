"""The cost of a deep offset: a page of payments at offset 10,000, compared with the first page."""

from itertools import count
from statistics import median

from benchmarks.process import Environment, measured
from benchmarks.table import Row

BAR = 6.0
TURNS, BATCH, WARM = 12, 4, 8
PAIR = [("bridge", "list_payments_deep"), ("bridge", "list_payments")]


def rows(environment: Environment, *, wall: bool) -> list[Row]:
    """Return the ratios of CPU and, on DynamoDB Local, of the whole time. Batches run in turn."""
    units = {"CPU": "cpu_ms"} | ({"until the answer": "wall_ms"} if wall else {})
    with measured(environment, PAIR, count(0)) as (deep, shallow):
        deep.ask(WARM), shallow.ask(WARM)
        turns = [(deep.ask(BATCH), shallow.ask(BATCH)) for _ in range(TURNS)]
    return [
        Row(
            name=f"list_payments, 20: {name}",
            figures=(
                median(below[unit] for below, _ in turns),
                median(above[unit] for _, above in turns),
                None,
            ),
            ratio=median(below[unit] / above[unit] for below, above in turns),
            bar=BAR,
        )
        for name, unit in units.items()
    ]
