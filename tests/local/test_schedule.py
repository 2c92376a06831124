"""Schedules: their rate, their event, and a run that fails."""

from pathlib import Path

import pytest

from local.functions import Functions
from local.schedule import Schedule, period_of
from local.template import Function

HANDLER = """
import pathlib


def handler(event, context):
    assert event["source"] == "aws.events"
    assert event["detail-type"] == "Scheduled Event"
    log = pathlib.Path(__file__).with_name("runs")
    runs = log.read_text() if log.exists() else ""
    log.write_text(runs + event["resources"][0].rpartition("/")[2] + "\\n")
    raise RuntimeError("this run fails")
"""


@pytest.mark.parametrize(
    ("expression", "seconds"),
    [("rate(1 minute)", 60), ("rate(5 minutes)", 300), ("rate(2 hours)", 7200)],
)
def test_period_of_a_rate_is_in_seconds(expression: str, seconds: int) -> None:
    assert period_of(expression) == seconds


def test_cron_expression_is_refused() -> None:
    with pytest.raises(ValueError, match=r"cron\(0 12"):
        period_of("cron(0 12 * * ? *)")


def test_run_gets_the_real_event_and_a_failure_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "handler.py").write_text(HANDLER)
    function = Function("Sweep", tmp_path, 5, 128, (), ("rate(1 minute)",))
    schedule = Schedule(Functions({"Sweep": function}), function, "rate(1 minute)")
    schedule.run_once()
    schedule.run_once()
    assert (tmp_path / "runs").read_text() == "Sweep\nSweep\n"
    assert "Sweep: FunctionFailed" in capsys.readouterr().err
