"""CPU per request: three variants in fresh processes, which run their batches in turn."""

import sys
from itertools import count
from statistics import median
from typing import Any

from benchmarks.process import Environment, Measured, measured
from benchmarks.table import Row

WARM_BAR, COLD_BAR = 1.2, 1.25
VARIANTS = ("bridge", "bare", "fastapi")
TURNS = {  # batches per process, and requests per batch: a batch lasts about 0.1 s
    "get_payment": (6, 40),
    "list_payments": (6, 15),
    "get_customer": (6, 40),
    "create_payment_intent": (5, 10),
    "confirm_payment": (5, 10),
}
REPETITIONS, WARM = 3, 10
COLD, COLD_REQUESTS = 8, 2  # more processes that only start, and their requests
REQUESTS = (
    2 + WARM + max(turns * batch for turns, batch in TURNS.values())
)  # of one process at most
CONFIRMS = len(VARIANTS) * (REPETITIONS * REQUESTS + COLD * COLD_REQUESTS)
BYTES_APART = 0.1  # by how much the variants' calls may differ in size


def rows(environment: Environment) -> tuple[list[Row], list[Row]]:
    """Return CPU per request, and CPU of a cold start up to its first response; milliseconds."""
    warm: list[Row] = []
    begun: dict[str, dict[str, list[float]]] = {}
    for endpoint, (turns, batch) in TURNS.items():
        numbers = count(0, REQUESTS)
        spent: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
        started: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
        for _ in range(REPETITIONS):
            pairs = [(variant, endpoint) for variant in VARIANTS]
            with measured(environment, pairs, numbers) as processes:
                _check_same_calls(endpoint, processes)
                for process in processes:
                    process.ask(WARM)
                    started[process.variant].append(process.start["cold_ms"])
                for _ in range(turns):
                    for process in processes:
                        spent[process.variant].append(process.ask(batch)["cpu_ms"])
        warm.append(_warm(endpoint, spent))
        begun[endpoint] = started
    for number in range(COLD):  # spread over the minutes, because the machine's speed changes
        for endpoint, started in begun.items():
            first = CONFIRMS - (number + 1) * len(VARIANTS) * COLD_REQUESTS
            numbers = count(first, COLD_REQUESTS)
            pairs = [(variant, endpoint) for variant in VARIANTS]
            with measured(environment, pairs, numbers) as processes:
                for process in processes:
                    started[process.variant].append(process.start["cold_ms"])
    return warm, [_cold(endpoint, started) for endpoint, started in begun.items()]


def _warm(endpoint: str, spent: dict[str, list[float]]) -> Row:
    pairs = zip(spent["bridge"], spent["bare"], strict=True)
    return Row(
        name=endpoint,
        figures=tuple(median(spent[variant]) for variant in VARIANTS),
        ratio=median(ours / bare for ours, bare in pairs),
        bar=WARM_BAR,
    )


def _cold(endpoint: str, spent: dict[str, list[float]]) -> Row:
    """The least of the processes: whatever disturbs one only adds."""
    figures = tuple(min(spent[variant]) for variant in VARIANTS)
    return Row(endpoint, figures, figures[0] / figures[1], COLD_BAR)


def _check_same_calls(endpoint: str, processes: list[Measured]) -> None:
    """End the run if the other variants do not make the same calls."""
    ours, *others = [process.start["calls"] for process in processes]
    for other in others:
        same = [name for name, _ in ours] == [name for name, _ in other]
        if not same or abs(_bytes(ours) / _bytes(other) - 1) > BYTES_APART:
            sys.exit(
                f"{endpoint}: other calls than ours, {ours} and {other}: see benchmarks/calls.py"
            )


def _bytes(calls: list[Any]) -> int:
    return sum(size for _, size in calls)
