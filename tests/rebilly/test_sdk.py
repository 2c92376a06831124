"""The unmodified rebilly-js-sdk against `make start`. Source: docs/api/payments-ai.md, section 7.

`drive.cjs` makes the calls and prints the results.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import lacks
from tests.local.test_start import running

SDK = Path(os.environ.get("REBILLY_SDK_DIR", ".rebilly-sdk")) / "node_modules"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    node = shutil.which("node")
    if not node or not (SDK / ".package-lock.json").is_file():  # npm writes this file last
        lacks("BRIDGE_REQUIRE_SDK", "rebilly-js-sdk needs Node and `make rebilly-sdk`")
    with running(tmp_path_factory.mktemp("home")) as (_, url):
        process = subprocess.run(
            [node, str(Path(__file__).with_name("drive.cjs")), url],
            env={"NODE_PATH": str(SDK.absolute())},
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert process.returncode == 0, process.stderr
    output = json.loads(process.stdout)
    assert isinstance(output, dict)
    return output


def test_sdk_creates_reads_and_updates_customers(results: dict[str, Any]) -> None:
    given = {"firstName": "Ada", "lastName": "Okoro", "email": "ada@shop.test", "language": "en"}
    assert results["made"].items() >= (given | {"customFields": {"tier": "gold"}}).items()
    assert results["read"] == results["made"]
    changed = {"email": "new@shop.test", "revision": 2}
    assert results["updated"] == results["made"] | changed | {
        "updatedTime": results["updated"]["updatedTime"]
    }


def test_sdk_lists_and_searches_customers(results: dict[str, Any]) -> None:
    total, limit, offset, (newest, before) = results["listed"]
    assert (total > 2, limit, offset) == (True, 2, 0)  # the demo data has customers too
    assert (newest["firstName"], before) == ("Bo", results["made"])
    assert results["found"] == [results["made"]["id"]]


def test_sdk_merge_deletes_the_customer_softly(results: dict[str, Any]) -> None:
    assert results["deleted"] == "deleted"
    assert results["refused"]["deleted"] == {
        "kind": "RebillyConflictError",
        "status": 409,
        "details": "customer is deleted",
    }


def test_sdk_creates_and_reads_custom_fields(results: dict[str, Any]) -> None:
    assert results["field"] == ["string", ["gold", "silver"], 2]


def test_sdk_publishable_key_is_accepted(results: dict[str, Any]) -> None:
    assert results["publishable"] == results["made"]["id"]


@pytest.mark.parametrize(
    ("call", "kind", "status", "details"),
    [
        ("invalid", "RebillyRequestError", 400, "email: must be a valid email address"),
        ("unknown", "RebillyNotFoundError", 404, None),
        ("upsert", "RebillyNotFoundError", 404, None),
        ("nobody", "RebillyForbiddenError", 401, None),
        ("stranger", "RebillyRequestError", 403, None),
    ],
)
def test_sdk_raises_its_error_class_for_a_refusal(
    results: dict[str, Any], call: str, kind: str, status: int, details: str | None
) -> None:
    assert results["refused"][call] == {"kind": kind, "status": status, "details": details}
