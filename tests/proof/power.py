"""`make power`: how many schedules it takes until the proof notices a broken rule.

    python -m tests.proof.power --resume power.json
    python -m tests.proof.power --only no_lock

Each mutation is played from seed 0 on, until a schedule is wrong, or MOST have been played. With
`--resume` it continues where a stopped run ended. It exits with 1 if more than NEVER were not
caught, or one of them is not found by a named test either. Source: docs/payment-correctness.md,
section 10.
"""

import argparse
import json
import os
import statistics
import sys
import time
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest

from local import database
from tests.proof import running
from tests.proof.drawing import draw
from tests.proof.mutations import FOUND_BY_A_TEST, MUTATIONS, Mutation
from tests.proof.truth import prove

MOST = 2000
NEVER = 10
BLOCK = 25  # schedules that a process plays before it reports


@dataclass
class Found:
    """How far a mutation has been played. `caught_by`: the seed that noticed it, and how."""

    played: int = 0
    caught_by: int | None = None
    how: str = ""

    @property
    def is_open(self) -> bool:
        """Whether more must be played."""
        return self.caught_by is None and self.played < MOST

    @property
    def needed(self) -> int:
        """How many schedules it took."""
        return self.played if self.caught_by is None else self.caught_by + 1


@dataclass
class Measured:
    """What has been found so far, by the mutation's name. It is saved in the file `path`."""

    path: Path | None
    found: dict[str, Found] = field(default_factory=dict)

    def read(self) -> None:
        """Read what a stopped run has saved."""
        if self.path and self.path.exists():
            saved = json.loads(self.path.read_text())
            self.found |= {name: Found(**values) for name, values in saved.items()}

    def write(self) -> None:
        """Save it."""
        if self.path:
            saved = {name: asdict(found) for name, found in self.found.items()}
            self.path.write_text(json.dumps(saved, indent=1))


def play(name: str, first: int, last: int) -> tuple[int, str] | None:
    """Play seeds with one broken rule. Returns the seed that noticed it, and how; else None."""
    mutation = next(each for each in MUTATIONS if each.__name__ == name)
    with pytest.MonkeyPatch.context() as patch:
        mutation(patch)
        for seed in range(first, last + 1):
            if wrong := first_wrong(seed):
                database.clear()  # what a broken rule leaves must not disturb the next one
                return seed, wrong
    return None


def first_wrong(seed: int) -> str:
    """What the proof says is wrong with a schedule, in one line; "" if nothing is."""
    try:
        wrong = prove(draw(seed), running.environment().stripe).wrong
    except Exception as error:  # noqa: BLE001 - the code is broken on purpose
        return f"{type(error).__name__}: {error}"
    return wrong[0].strip().splitlines()[-1] if wrong else ""


def run(options: argparse.Namespace) -> int:
    """Play all mutations of the options and print the table. Returns the exit code."""
    measured = Measured(options.resume)
    measured.read()
    chosen = [each for each in MUTATIONS if not options.only or each.__name__ in options.only]
    names = [each.__name__ for each in chosen]
    measured.found |= {name: Found() for name in names if name not in measured.found}
    started = time.monotonic()
    playing: dict[Future[tuple[int, str] | None], str] = {}
    with running.pool_of(options.workers) as pool:
        waiting = [name for name in names if measured.found[name].is_open]
        while waiting or playing:
            is_over = options.minutes and time.monotonic() - started > options.minutes * 60
            while waiting and not is_over and len(playing) < options.workers:
                name = waiting.pop(0)
                first = measured.found[name].played
                playing[pool.submit(play, name, first, first + BLOCK - 1)] = name
            if not playing:
                break
            for future in wait(playing, return_when=FIRST_COMPLETED).done:
                name, result = playing.pop(future), future.result()
                found = measured.found[name]
                found.played += BLOCK
                if result:
                    found.caught_by, found.how = result
                    print(f"{found.needed:5} {name}: {found.how[:120]}", flush=True)
                elif found.is_open:
                    waiting.insert(0, name)
                measured.write()
    return report([measured.found[name] for name in names], chosen)


def report(found: list[Found], mutations: list[Mutation]) -> int:
    """Print the table. Returns the exit code."""
    never, is_missed = 0, False
    for each, mutation in sorted(zip(found, mutations, strict=True), key=lambda it: it[0].needed):
        never += each.caught_by is None
        needed = "never" if each.caught_by is None else str(each.needed)
        test = FOUND_BY_A_TEST.get(mutation, "") if each.caught_by is None else ""
        is_missed = is_missed or (each.caught_by is None and not test)
        print(f"| {needed} | {(mutation.__doc__ or '').splitlines()[0]} | {test} |")
    caught = [each.needed for each in found if each.caught_by is not None]
    if caught:
        median, worst = round(statistics.median(caught)), max(caught)
        print(f"{len(caught)} of {len(found)} caught: median {median}, worst {worst}")
    return 1 if never > NEVER or is_missed else 0


def read_options() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.power", description=__doc__)
    parser.add_argument("--only", nargs="*", metavar="NAME", help="some mutations")
    parser.add_argument("--minutes", type=float, help="stop after so many")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--resume", type=Path, metavar="FILE", help="keep the progress here")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(run(read_options()))
