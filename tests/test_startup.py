"""The garbage collector at a cold start. Source: docs/decisions.md, section 13."""

import subprocess
import sys

from tests.conftest import ROOT

PROGRAM = """
import gc
before = gc.get_threshold()
import functions.native.update_address.handler
assert gc.get_threshold()[0] == 250_000, "it does not wait"
from bridge.store import dynamodb
dynamodb.client()
assert gc.get_threshold() == before, "it is not set back"
assert gc.get_freeze_count() > 50_000, "what stays is visited again"
"""


def test_garbage_collector_waits_until_the_first_client_is_made() -> None:
    path = f"{ROOT}:{ROOT / 'layers' / 'bridge' / 'python'}"
    environment = {"PYTHONPATH": path, "AWS_DEFAULT_REGION": "eu-central-1"}
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True
    )
    assert run.stderr == ""


def test_package_sets_it_before_any_library_is_imported() -> None:
    program = "import sys, bridge; print(*sorted(sys.modules))"
    environment = {"PYTHONPATH": str(ROOT / "layers" / "bridge" / "python")}
    run = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    loaded = run.stdout.split()
    assert "bridge.startup" in loaded
    assert not {"pydantic", "botocore", "msgspec", "aws_lambda_powertools"} & set(loaded)
