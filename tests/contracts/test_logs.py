"""The logs tell what happened to a request, and nothing that a caller sent or was given."""

import json
import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from local.template import ROOT
from tests.contracts.shape import EVERY_ROUTE


class Told:
    """The output of the story's process, and what happened in it."""

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
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    file = tmp_path_factory.mktemp("logs") / "story.json"
    path = os.pathsep.join([str(ROOT), str(ROOT / "layers" / "bridge" / "python")])
    done = subprocess.run(
        [sys.executable, "-m", "tests.contracts.log_story", str(file)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout[-5000:]
    return Told(done.stdout, json.loads(Path(file).read_text()))


def spellings(canary: str) -> set[str]:
    """As text, inside JSON, in a URL, as a form, in base64."""
    encoded = {quote(canary), quote(canary, safe=""), quote_plus(canary)}
    return {canary, json.dumps(canary)[1:-1], b64encode(canary.encode()).decode(), *encoded}


def test_no_canary_sings_in_any_line_of_the_output(told: Told) -> None:
    singing = {
        line
        for line in told.output.splitlines()
        for canary in told.canaries
        for spelling in spellings(canary)
        if spelling.lower() in line.lower()
    }
    assert not singing


def test_the_output_is_all_that_lambda_would_log(told: Told) -> None:
    """Other people's loggers are heard at INFO, ours write JSON."""
    assert "somebody.elses.sdk said at INFO" in told.output
    assert {"bridge"} == {line["service"] for line in told.lines}


def test_every_request_has_one_line_that_tells_how_it_went(told: Told) -> None:
    for call in told.calls:
        (line,) = told.of(call["request_id"], "request")
        assert line["status"] == call["status"], (call, line)
        assert line["caller"] == call.get("caller", line["caller"]), (call, line)
        assert line["caller"] in ("user", "guest", "key", "nobody"), (call, line)
        assert type(line["duration_ms"]) is int, (call, line)
        assert line["duration_ms"] >= 0, (call, line)
        is_told = line["route"].endswith("$default") or "/health" in line["route"]
        refused = call["status"] >= 400 and not is_told  # these two answer whatever they find
        assert (line["outcome"] == "answered") != refused, (call, line)


def test_every_route_is_told_as_the_template_writes_it(told: Told) -> None:
    routes = {line["route"] for line in told.lines if line["message"] == "request"}
    assert routes == {f"{method} {path}" for _, method, path in EVERY_ROUTE} | {"$default"}


def test_every_money_call_tells_its_payment_its_provider_and_its_outcome(told: Told) -> None:
    calls = [call for call in told.calls if "money" in call]
    assert {tuple(call["money"]) for call in calls} >= {
        ("create", "done"),
        ("update", "done"),
        ("confirm", "done"),
        ("confirm", "refused"),
        ("confirm", "unknown"),
    }
    for call in calls:
        operation, outcome = call["money"]
        lines = told.of(call["request_id"])
        (line,) = [each for each in lines if each.get("operation") == operation]
        assert line["outcome"] == outcome, (call, line)
        assert line["provider"] == "stripe"
        assert line["payment_id"] == call.get("payment", line["payment_id"])
        assert line["payment_id"].startswith("pay_")


def test_what_nobody_expected_tells_where_it_broke_and_not_why(told: Told) -> None:
    broken = [call for call in told.calls if call.get("broken")]
    assert broken
    for call in broken:
        assert call["status"] == 500
        (line,) = told.of(call["request_id"], "unhandled")
        assert line["level"] == "ERROR"
        assert line["error_type"]
        assert line["places"]
        assert not line.keys() & {"exception", "exception_name", "stack_trace"}
