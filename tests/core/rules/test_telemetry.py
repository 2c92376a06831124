"""Log and metrics. Source: docs/payment-correctness.md, section 8."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from aws_lambda_powertools.metrics import MetricUnit

from bridge.core.rules import telemetry


@pytest.fixture
def metrics(
    setting: Callable[[str, str], None], capsys: pytest.CaptureFixture[str]
) -> Callable[[], list[dict[str, Any]]]:
    """The metrics that were written since the last call."""
    setting("POWERTOOLS_METRICS_DISABLED", "false")
    capsys.readouterr()
    return lambda: [
        json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line
    ]


def test_measure_writes_each_value_as_a_line_of_its_own(
    metrics: Callable[[], list[dict[str, Any]]],
) -> None:
    telemetry.measure("sweep_failures")
    telemetry.measure("sweep_failures", 3)
    assert [line["sweep_failures"] for line in metrics()] == [[1], [3]]


def test_measure_writes_the_unit(metrics: Callable[[], list[dict[str, Any]]]) -> None:
    telemetry.measure("oldest_due_seconds", 90, MetricUnit.Seconds)
    (line,) = metrics()
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Metrics"] == [{"Name": "oldest_due_seconds", "Unit": "Seconds"}]
    assert line["oldest_due_seconds"] == [90]


def test_log_writes_ids_as_fields(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("WARNING"):
        telemetry.log.warning("job deferred", job_id="job_1")
    (record,) = [each for each in caplog.records if each.getMessage() == "job deferred"]
    assert vars(record)["job_id"] == "job_1"
