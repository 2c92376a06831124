"""Other processes: the server, which is not measured, and the measured ones."""

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
    """Return the environment for a process: without an AWS account, with our code on the path."""
    made = dict(os.environ)
    settings.leave_aws(made)
    path = os.pathsep.join((str(ROOT), str(BRIDGE)))
    as_deployed = {"PYDANTIC_DISABLE_PLUGINS": "__all__"}
    return made | as_deployed | {"PYTHONPATH": path, "POWERTOOLS_METRICS_DISABLED": "true"} | more


def spawn(environment: Environment, *arguments: str) -> subprocess.Popen[str]:
    """Start Python with these arguments, with pipes for input and output."""
    pipe = subprocess.PIPE
    command = [sys.executable, *arguments]
    return subprocess.Popen(
        command, env=environment, cwd=ROOT, stdin=pipe, stdout=pipe, text=True, bufsize=1
    )


def read_line(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Return the next line that starts with MARK, or end the run if the process has ended."""
    assert process.stdout
    for line in process.stdout:
        if line.startswith(MARK):
            return dict(json.loads(line.removeprefix(MARK)))
    sys.exit(f"{process.args!r} ended with {process.wait()}")


@contextmanager
def server(*arguments: str, **more: str) -> Iterator[Environment]:
    """Run the server inside the block. Gives the environment for the measured processes."""
    process = spawn(environment(**more), "-m", "benchmarks.server", *arguments)
    try:
        yield environment(**read_line(process))
    finally:
        process.kill()
        process.communicate()


class Measured:
    """A measured process that waits for requests: benchmarks.measured or benchmarks.paged.

    `start`: its first line, sent after it was loaded and had handled its first requests.
    """

    def __init__(self, environment: Environment, module: str, variant: str, *more: str) -> None:
        self.variant = variant
        self._process = spawn(environment, "-m", module, variant, *more)
        self.start = read_line(self._process)
        if missing := self.start["without_bytecode"]:
            sys.exit(f"these would have been compiled while measured: {', '.join(missing)}")

    def ask(self, requests: int) -> dict[str, Any]:
        """Run a batch of so many requests and return its figures."""
        assert self._process.stdin
        self._process.stdin.write(f"{requests}\n")
        return read_line(self._process)

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


@contextmanager
def started(
    environment: Environment, module: str, argument_lists: Iterable[tuple[str, ...]]
) -> Iterator[list[Measured]]:
    """Run a fresh process for each list of arguments."""
    with ExitStack() as stack:
        processes = []
        for arguments in argument_lists:
            process = Measured(environment, module, *arguments)
            stack.callback(process.stop)
            processes.append(process)
        yield processes


@contextmanager
def measured(
    environment: Environment, pairs: list[tuple[str, str]], numbers: Iterator[int]
) -> Iterator[list[Measured]]:
    """Run a process for each (variant, endpoint). `numbers` gives its first request number."""
    arguments = ((variant, endpoint, str(next(numbers))) for variant, endpoint in pairs)
    with started(environment, "benchmarks.measured", arguments) as processes:
        yield processes
