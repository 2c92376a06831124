"""Runs the tests of a module on each of its mutants, in copies of the tree: one per core.

A result is kept under the hash of the changed text and of the test files, so a run goes on where
the last one stopped, and a module is run again when it or its tests have changed.
Source: docs/payment-correctness.md, section 10.
"""

import argparse
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Literal

from tests.mutation.equal import EQUAL
from tests.mutation.modules import MODULES, ROOT, source_of, tests_of
from tests.mutation.mutants import Mutant, mutants_of

Outcome = Literal["killed", "survived", "timeout"]

RESULTS = ROOT / ".mutation" / "results.json"
SERVER = "tests/mutation/server.py"
PYTEST = ("-x", "-q", "--no-header", "-p", "no:cacheprovider", "-p", "no:xdist")
LEAST_TIMEOUT_S = 30
TIMES_BASELINE = 5
PROGRESS_EVERY_S = 30


class Copy:
    """A copy of the tree. Mutants are written into it, never into the working copy."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(".*", "__pycache__"))
        environ = dict(os.environ) | {"PYTHONPATH": str(folder / "layers/bridge/python")}
        environ.pop("PYTHONDONTWRITEBYTECODE", None)
        self._server = subprocess.Popen(
            [sys.executable, "-P", SERVER],
            cwd=folder,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def baseline(self, module: str) -> float:
        """How long the tests of a module take, in seconds. Exits if they fail."""
        started = time.monotonic()
        if self._run_tests(module, timeout=0) != "survived":
            sys.exit(f"{module}: its tests fail without a mutant")
        return time.monotonic() - started

    def test(self, mutant: Mutant, timeout: float) -> Outcome:
        """Whether the tests of its module notice a mutant."""
        path = self._folder / source_of(mutant.module)
        try:
            _write(path, mutant.code)
            return self._run_tests(mutant.module, timeout)
        finally:
            _write(path, mutant.original)

    def close(self) -> None:
        with self._server:
            self._server.kill()

    def _run_tests(self, module: str, timeout: float) -> Outcome:
        assert self._server.stdin
        assert self._server.stdout
        print(timeout, *PYTEST, *tests_of(module), file=self._server.stdin, flush=True)
        answer = self._server.stdout.readline().strip()
        if answer == "timeout":
            return "timeout"
        if not answer.isdigit():
            sys.exit(f"the tests of {module} ended with {answer or 'nothing'}")
        return "survived" if answer == "0" else "killed"


def _write(path: Path, text: str) -> None:
    """Write a module and forget its bytecode, which could pass for that of the new text."""
    Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)
    path.write_text(text, encoding="utf-8")


@contextmanager
def copies(count: int) -> Iterator[Callable[[], AbstractContextManager[Copy]]]:
    """So many copies. The function that it gives takes a free one, for one `with`."""
    free: SimpleQueue[Copy] = SimpleQueue()

    @contextmanager
    def taken() -> Iterator[Copy]:
        copy = free.get()
        try:
            yield copy
        finally:
            free.put(copy)

    with tempfile.TemporaryDirectory(prefix="mutation-") as folder, ExitStack() as opened:
        for number in range(count):
            copy = Copy(Path(folder, str(number)))
            opened.callback(copy.close)
            free.put(copy)
        yield taken


class Results:
    """What came of each mutant so far, in a file that outlasts the run."""

    def __init__(self, *, again: bool) -> None:
        if again:
            RESULTS.unlink(missing_ok=True)
        self._found: dict[str, Outcome] = {}
        if RESULTS.exists():
            self._found = json.loads(RESULTS.read_text())
        self._tests = {module: b"".join(map(_read, tests_of(module))) for module in MODULES}

    def of(self, mutant: Mutant) -> Outcome | None:
        return self._found.get(self._key(mutant))

    def add(self, mutant: Mutant, outcome: Outcome) -> None:
        self._found[self._key(mutant)] = outcome
        RESULTS.parent.mkdir(exist_ok=True)
        written = RESULTS.with_suffix(".new")
        written.write_text(json.dumps(self._found))
        written.replace(RESULTS)

    def _key(self, mutant: Mutant) -> str:
        text = f"{mutant.module}\n{mutant.code}".encode() + self._tests[mutant.module]
        return hashlib.sha256(text).hexdigest()


def _read(path: str) -> bytes:
    return (ROOT / path).read_bytes()


def run(options: argparse.Namespace) -> int:
    """Run the mutants of the options and print what came of them. Returns the exit code."""
    mutants = [each for module in MODULES for each in mutants_of(module)]
    names = options.module or [Path(module).stem for module in MODULES]
    last = max(sorted(each.rank for each in mutants)[: options.sample or None])
    chosen = [each for each in mutants if each.rank <= last and Path(each.module).stem in names]
    results = Results(again=options.again)
    pending = [each for each in chosen if results.of(each) is None]
    print(f"{len(mutants)} mutants, {len(chosen)} chosen, {len(pending)} to run", flush=True)
    if pending:
        _run_pending(pending, results, options.workers)
    unexplained = [_report(module, chosen, results) for module in MODULES]
    return 1 if sum(unexplained) + _report_entries(mutants, results) else 0


def _run_pending(pending: list[Mutant], results: Results, workers: int) -> None:
    with copies(workers) as taken, ThreadPoolExecutor(workers) as pool:

        def baseline(module: str) -> float:
            with taken() as copy:
                return copy.baseline(module)

        def test(mutant: Mutant) -> Outcome:
            with taken() as copy:
                return copy.test(mutant, timeouts[mutant.module])

        modules = list(dict.fromkeys(each.module for each in pending))
        seconds = dict(zip(modules, pool.map(baseline, modules), strict=True))
        timeouts = {each: max(LEAST_TIMEOUT_S, TIMES_BASELINE * seconds[each]) for each in modules}
        running = {pool.submit(test, each): each for each in pending}
        printed_at = time.monotonic()
        try:
            for done, future in enumerate(as_completed(running), start=1):
                results.add(running[future], future.result())
                if time.monotonic() - printed_at > PROGRESS_EVERY_S:
                    printed_at = time.monotonic()
                    print(f"{done} of {len(pending)} done", flush=True)
        finally:
            pool.shutdown(cancel_futures=True)


def _report(module: str, chosen: Iterable[Mutant], results: Results) -> int:
    """Print the figures of a module and its survivors. Returns how many have no reason."""
    mutants = [each for each in chosen if each.module == module]
    if not mutants:
        return 0
    survivors = [each for each in mutants if results.of(each) == "survived"]
    unexplained = [each for each in survivors if not any(map(each.matches, EQUAL))]
    count = Counter(map(results.of, mutants))
    print(
        f"{module}: {len(mutants)} mutants, {count['killed']} killed, "
        f"{count['timeout']} timeouts, {len(survivors) - len(unexplained)} equal, "
        f"{len(unexplained)} survived"
    )
    for each in unexplained:
        print(each.diff)
    return len(unexplained)


def _report_entries(mutants: Iterable[Mutant], results: Results) -> int:
    """Print the entries of the list of equal mutants that are wrong. Returns how many are."""
    wrong = 0
    for entry in EQUAL:
        outcomes = {results.of(each) for each in mutants if each.matches(entry)}
        if not outcomes or outcomes & {"killed", "timeout"}:
            problem = "was noticed by a test" if outcomes else "is no mutant any more"
            print(f"equal.py: {entry.module}, {entry.place}: {entry.after!r} {problem}")
            wrong += 1
    return wrong
