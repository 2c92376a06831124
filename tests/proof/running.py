"""Plays thousands of schedules: one process per core, each with its own database and Stripe.

Source: docs/payment-correctness.md, section 10.
"""

import argparse
import json
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from local import database, dynamodb_local
from tests.conftest import Environment, open_environment
from tests.proof import harm
from tests.proof.drawing import draw
from tests.proof.truth import prove

BLOCK = 20  # seeds that a process plays before it reports
PROGRESS_EVERY_S = 15

_open = ExitStack()
_environment: list[Environment] = []


@dataclass
class Result:
    """What came of some seeds: how many were played, how often what happened, what was wrong."""

    schedules: int = 0
    count: Counter[str] = field(default_factory=Counter)
    harm: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def start(endpoint: str) -> None:
    """Start the test environment of a process, on its own DynamoDB Local."""
    os.environ["DYNAMODB_ENDPOINT"] = endpoint
    _environment.append(_open.enter_context(open_environment()))


def environment() -> Environment:
    """The test environment of this process."""
    return _environment[0]


def play(first: int, last: int, *, show: bool) -> Result:
    """Play the seeds from `first` to `last`, one after the other."""
    result = Result()
    for seed in range(first, last + 1):
        schedule = draw(seed)
        if show:
            print(schedule, flush=True)
        played = prove(schedule, environment().stripe)
        result.schedules += 1
        result.count += played.count
        result.harm += played.harm
        if played.wrong:
            broken = "\n".join(f"  !! {each}" for each in dict.fromkeys(played.wrong))
            result.wrong.append(f"{schedule}\n{broken}")
            database.clear()  # what is left of a wrong schedule must not disturb the next one
    return result


def blocks(first: int, last: int, done: set[int]) -> Iterator[int]:
    """The first seed of each block that was not played yet."""
    return (each for each in range(first, last + 1, BLOCK) if each not in done)


@dataclass
class Progress:
    """What has been played so far. It is saved in the file of `--resume`, if there is one."""

    path: Path | None
    done: set[int] = field(default_factory=set)
    total: Result = field(default_factory=Result)
    seconds: float = 0

    def read(self, first: int) -> None:
        """Read what a stopped run has saved. Exits if that run began at another seed."""
        if self.path and self.path.exists():
            saved = json.loads(self.path.read_text())
            if saved["first"] != first:
                sys.exit(f"{self.path} is of another run, from seed {saved['first']}")
            self.done, self.seconds = set(saved["done"]), saved["seconds"]
            count, harm = Counter(saved["count"]), Counter(saved["harm"])
            self.total = Result(saved["schedules"], count, harm, saved["wrong"])

    def add(self, block: int, result: Result) -> None:
        """A block has been played."""
        self.done.add(block)
        self.total.schedules += result.schedules
        self.total.count += result.count
        self.total.harm += result.harm
        self.total.wrong += result.wrong

    def write(self, first: int) -> None:
        """Save the progress."""
        if self.path:
            saved = {
                "first": first,
                "done": sorted(self.done),
                "seconds": round(self.seconds),
                "schedules": self.total.schedules,
                "wrong": self.total.wrong,
                "count": self.total.count,
                "harm": self.total.harm,
            }
            self.path.write_text(json.dumps(saved))


def run(options: argparse.Namespace) -> int:
    """Play the seeds of the options and print what was wrong. Returns the exit code."""
    progress = Progress(options.resume)
    progress.read(options.first)
    started, before, printed_at = time.monotonic(), progress.seconds, 0.0
    waiting = blocks(options.first, options.last, progress.done)
    running: dict[Future[Result], int] = {}
    with pool_of(options.workers) as pool:
        while True:
            elapsed = time.monotonic() - started
            is_over = options.minutes is not None and elapsed > options.minutes * 60
            while not is_over and len(running) < options.workers * 2:
                if (block := next(waiting, None)) is None:
                    break
                last = min(block + BLOCK - 1, options.last)
                running[pool.submit(play, block, last, show=options.show)] = block
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                result = future.result()
                progress.add(running.pop(future), result)
                for each in result.wrong:
                    print(each, flush=True)
            progress.seconds = before + time.monotonic() - started
            progress.write(options.first)
            if progress.seconds - printed_at > PROGRESS_EVERY_S:
                printed_at = progress.seconds
                _print_progress(options, progress)
    for name, times in sorted(progress.total.count.items()):
        print(f"{times:8} {name}")
    print("harm met:", harm.table(progress.total.harm), sep="\n")
    never = harm.never_met(progress.total.harm, progress.total.schedules)
    if never:
        print(f"never met: {', '.join(never)}")
    _print_progress(options, progress)
    return 1 if progress.total.wrong or never else 0


@contextmanager
def pool_of(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that each have an environment of their own. Ends the program without Java."""
    os.environ["POWERTOOLS_LOG_LEVEL"] = "CRITICAL"
    spawn = multiprocessing.get_context("spawn")
    endpoints = spawn.SimpleQueue()
    for _ in range(workers):
        endpoint = dynamodb_local.start()
        if endpoint is None:
            sys.exit("DynamoDB Local needs Java and `make dynamodb-local`")
        endpoints.put(endpoint)
    with ProcessPoolExecutor(workers, spawn, _start_from, (endpoints,)) as pool:
        yield pool


def _start_from(endpoints: "multiprocessing.SimpleQueue[str]") -> None:
    start(endpoints.get())


def _print_progress(options: argparse.Namespace, progress: Progress) -> None:
    print(
        f"seeds {options.first}-{options.last}: {progress.total.schedules} schedules, "
        f"{len(progress.total.wrong)} wrong, {progress.seconds / 60:.1f} minutes",
        flush=True,
    )
