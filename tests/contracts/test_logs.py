"""The logs say what happened to a request. They contain nothing that a caller sent or got."""

import json
import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from local.template import ROOT
from tests.contracts.shape import EVERY_ROUTE

HANGS_AFTER_S = 1200  # far more than it needs on any machine


class StoryLog:
    """The output of the story's process, its calls and its canaries."""

    def __init__(self, output: str, story: dict[str, Any]) -> None:
        self.output, self.calls, self.canaries = output, story["calls"], story["canaries"]
        self.lines = list(_records(output))

    def of(self, request_id: str, message: str | None = None) -> list[dict[str, Any]]:
        """The lines of one request."""
        mine = [line for line in self.lines if line.get("request_id") == request_id]
        return [line for line in mine if message in (None, line["message"])]


def _records(output: str) -> Iterator[dict[str, Any]]:
    for line in output.splitlines():
        if line.startswith('{"level"'):
            yield json.loads(line)


@pytest.fixture(scope="module")
def log(made_once: Callable[..., Path]) -> StoryLog:
    """The story, which ran in a process of its own, once for all tests of this file."""
    folder = made_once("story", tell)
    return StoryLog(
        (folder / "output").read_text(encoding="utf-8"),
        json.loads((folder / "story.json").read_text(encoding="utf-8")),
    )


def tell(folder: Path) -> None:
    """Run the story."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "layers" / "bridge" / "python")])
    with (folder / "output").open("w", encoding="utf-8") as output:
        done = subprocess.run(
            [sys.executable, "-m", "tests.contracts.log_story", str(folder / "story.json")],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": path},
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=HANGS_AFTER_S,
        )
    assert done.returncode == 0, (folder / "output").read_text(encoding="utf-8")[-5000:]


def spellings(canary: str) -> set[str]:
    """How a canary may be written: as text, in JSON, in a URL, in a form, in base64."""
    encoded = {quote(canary), quote(canary, safe=""), quote_plus(canary)}
    return {canary, json.dumps(canary)[1:-1], b64encode(canary.encode()).decode(), *encoded}


def test_no_line_of_the_output_contains_a_canary(log: StoryLog) -> None:
    leaking = {
        line
        for line in log.output.splitlines()
        for canary in log.canaries
        for spelling in spellings(canary)
        if spelling.lower() in line.lower()
    }
    assert not leaking


def test_output_contains_all_that_lambda_would_log(log: StoryLog) -> None:
    """Loggers of libraries write at INFO, and ours write JSON."""
    assert "somebody.elses.sdk said at INFO" in log.output
    assert {"bridge"} == {line["service"] for line in log.lines}


def test_every_request_has_one_line_with_its_result(log: StoryLog) -> None:
    for call in log.calls:
        (line,) = log.of(call["request_id"], "request")
        assert line["status"] == call["status"], (call, line)
        assert line["caller"] == call.get("caller", line["caller"]), (call, line)
        assert line["caller"] in ("user", "guest", "key", "nobody"), (call, line)
        assert type(line["duration_ms"]) is int, (call, line)
        assert line["duration_ms"] >= 0, (call, line)
        # These two routes are logged as "answered" with any status.
        accepts_any_status = line["route"].endswith("$default") or "/health" in line["route"]
        refused = call["status"] >= 400 and not accepts_any_status
        assert (line["outcome"] == "answered") != refused, (call, line)


def test_routes_are_logged_as_the_template_writes_them(log: StoryLog) -> None:
    routes = {line["route"] for line in log.lines if line["message"] == "request"}
    written = {f"{method} {path}" for _, method, path in EVERY_ROUTE} | {"$default"}
    assert routes ^ written == set()


def test_every_money_call_logs_its_payment_provider_and_outcome(log: StoryLog) -> None:
    calls = [call for call in log.calls if "money" in call]
    assert {tuple(call["money"]) for call in calls} >= {
        ("create", "done"),
        ("update", "done"),
        ("confirm", "done"),
        ("confirm", "refused"),
        ("confirm", "unknown"),
    }
    for call in calls:
        operation, outcome = call["money"]
        lines = log.of(call["request_id"])
        (line,) = [each for each in lines if each.get("operation") == operation]
        assert line["outcome"] == outcome, (call, line)
        assert line["provider"] == "stripe"
        assert line["payment_id"] == call.get("payment", line["payment_id"])
        assert line["payment_id"].startswith("pay_")


def test_unexpected_error_logs_its_place_but_not_its_message(log: StoryLog) -> None:
    broken = [call for call in log.calls if call.get("broken")]
    assert broken
    for call in broken:
        assert call["status"] == 500
        (line,) = log.of(call["request_id"], "unhandled")
        assert line["level"] == "ERROR"
        assert line["error_type"]
        assert line["places"]
        assert not line.keys() & {"exception", "exception_name", "stack_trace"}
