"""Processes beside this one: the server that is not measured, and the measured ones."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.measured import MARK
from local import settings

ROOT = Path(__file__).resolve().parent.parent
BRIDGE = ROOT / "layers" / "bridge" / "python"

Environment = dict[str, str]


def environment(**more: str) -> Environment:
    """This process's, without an AWS account and with our code on the path."""
    made = dict(os.environ)
    settings.leave_aws(made)
    path = os.pathsep.join((str(ROOT), str(BRIDGE)))
    return made | {"PYTHONPATH": path, "POWERTOOLS_METRICS_DISABLED": "true"} | more


def spawn(environment: Environment, *arguments: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    command = [sys.executable, *arguments]
    return subprocess.Popen(
        command, env=environment, cwd=ROOT, stdin=pipe, stdout=pipe, text=True, bufsize=1
    )


def hear(process: subprocess.Popen[str]) -> dict[str, Any]:
    """The next line behind MARK; ends the run where there is none."""
    assert process.stdout
    for line in process.stdout:
        if line.startswith(MARK):
            return dict(json.loads(line.removeprefix(MARK)))
    sys.exit(f"{process.args!r} ended with {process.wait()}")


@contextmanager
def server(*arguments: str, **more: str) -> Iterator[Environment]:
    """Runs as long as it is asked; gives the environment of who asks it."""
    process = spawn(environment(**more), "-m", "benchmarks.server", *arguments)
    try:
        yield environment(**hear(process))
    finally:
        process.kill()
        process.communicate()


class Measured:
    """A measured process that waits to be asked: benchmarks.measured or benchmarks.paged.

    `start` is what it told when it was loaded and had answered its first requests.
    """

    def __init__(self, environment: Environment, module: str, variant: str, *more: str) -> None:
        self.variant = variant
        self._process = spawn(environment, "-m", module, variant, *more)
        self.start = hear(self._process)
        if missing := self.start["without_bytecode"]:
            sys.exit(f"these would have been compiled while measured: {', '.join(missing)}")

    def ask(self, requests: int) -> dict[str, Any]:
        assert self._process.stdin
        self._process.stdin.write(f"{requests}\n")
        return hear(self._process)

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()


@contextmanager
def started(
    environment: Environment, module: str, wanted: Iterable[tuple[str, ...]]
) -> Iterator[list[Measured]]:
    """A fresh process for each list of arguments."""
    with ExitStack() as stack:
        processes = []
        for arguments in wanted:
            process = Measured(environment, module, *arguments)
            stack.callback(process.stop)
            processes.append(process)
        yield processes


@contextmanager
def measured(
    environment: Environment, wanted: list[tuple[str, str]], numbers: Iterator[int]
) -> Iterator[list[Measured]]:
    """One for each variant and endpoint; `numbers` gives the first of its requests."""
    named = ((variant, endpoint, str(next(numbers))) for variant, endpoint in wanted)
    with started(environment, "benchmarks.measured", named) as processes:
        yield processes
