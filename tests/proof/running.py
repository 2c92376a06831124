"""Schedules by the thousand: a process per core, each with a database and a Stripe of its own."""

import argparse
import json
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from local import database, dynamodb_local
from tests.conftest import Environment, open_environment
from tests.proof.schedules import draw
from tests.proof.truth import prove

BLOCK = 20
SHOWN_EVERY_S = 15

_open = ExitStack()
_environment: list[Environment] = []


@dataclass
class Result:
    """Of some seeds: how many were played, what happened in them how often, what was wrong."""

    schedules: int = 0
    count: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def start(endpoint: str) -> None:
    """Once in each process."""
    os.environ["DYNAMODB_ENDPOINT"] = endpoint
    _environment.append(_open.enter_context(open_environment()))


def play(first: int, last: int, *, show: bool) -> Result:
    """The seeds from `first` to `last`, one after the other."""
    result = Result()
    for seed in range(first, last + 1):
        schedule = draw(seed)
        if show:
            print(schedule, flush=True)
        played = prove(schedule, _environment[0].stripe)
        result.schedules += 1
        result.count += played.count
        if played.wrong:
            broken = "\n".join(f"  !! {each}" for each in dict.fromkeys(played.wrong))
            result.wrong.append(f"{schedule}\n{broken}")
            database.clear()  # what it left behind is none of the next one's
    return result


def blocks(first: int, last: int, done: set[int]) -> Iterator[int]:
    """The first seeds of the blocks that are still to be played."""
    return (each for each in range(first, last + 1, BLOCK) if each not in done)


@dataclass
class Progress:
    """What has been played so far; kept in a file, where one is named."""

    path: Path | None
    done: set[int] = field(default_factory=set)
    total: Result = field(default_factory=Result)
    seconds: float = 0

    def read(self, first: int) -> None:
        if self.path and self.path.exists():
            kept = json.loads(self.path.read_text())
            if kept["first"] != first:
                sys.exit(f"{self.path} is of another run, from seed {kept['first']}")
            self.done, self.seconds = set(kept["done"]), kept["seconds"]
            self.total = Result(kept["schedules"], Counter(kept["count"]), kept["wrong"])

    def add(self, block: int, result: Result) -> None:
        self.done.add(block)
        self.total.schedules += result.schedules
        self.total.count += result.count
        self.total.wrong += result.wrong

    def write(self, first: int) -> None:
        if self.path:
            kept = {
                "first": first,
                "done": sorted(self.done),
                "seconds": round(self.seconds),
                "schedules": self.total.schedules,
                "wrong": self.total.wrong,
                "count": self.total.count,
            }
            self.path.write_text(json.dumps(kept))


def run(options: argparse.Namespace) -> int:
    progress = Progress(options.resume)
    progress.read(options.first)
    os.environ["POWERTOOLS_LOG_LEVEL"] = "CRITICAL"
    endpoints = multiprocessing.get_context("spawn").SimpleQueue()
    for _ in range(options.workers):
        endpoint = dynamodb_local.start()
        if endpoint is None:
            sys.exit("DynamoDB Local needs Java and `make dynamodb-local`")
        endpoints.put(endpoint)
    started, before, shown = time.monotonic(), progress.seconds, 0.0
    waiting = blocks(options.first, options.last, progress.done)
    under_way: dict[Future[Result], int] = {}
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.workers, spawn, _start_from, (endpoints,)) as pool:
        while True:
            elapsed = time.monotonic() - started
            is_over = options.minutes is not None and elapsed > options.minutes * 60
            while not is_over and len(under_way) < options.workers * 2:
                if (block := next(waiting, None)) is None:
                    break
                last = min(block + BLOCK - 1, options.last)
                under_way[pool.submit(play, block, last, show=options.show)] = block
            if not under_way:
                break
            for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                result = future.result()
                progress.add(under_way.pop(future), result)
                for each in result.wrong:
                    print(each, flush=True)
            progress.seconds = before + time.monotonic() - started
            progress.write(options.first)
            if progress.seconds - shown > SHOWN_EVERY_S:
                shown = progress.seconds
                _tell(options, progress)
    for name, times in sorted(progress.total.count.items()):
        print(f"{times:8} {name}")
    _tell(options, progress)
    return 1 if progress.total.wrong else 0


def _start_from(endpoints: "multiprocessing.SimpleQueue[str]") -> None:
    start(endpoints.get())


def _tell(options: argparse.Namespace, progress: Progress) -> None:
    print(
        f"seeds {options.first}-{options.last}: {progress.total.schedules} schedules, "
        f"{len(progress.total.wrong)} wrong, {progress.seconds / 60:.1f} minutes",
        flush=True,
    )
