"""rebilly-js-sdk, unmodified, against `make start`. Source: contracts/payments-ai.md, section 7.

`drive.cjs` makes the calls and tells what came back.
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
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    node = shutil.which("node")
    if not node or not (SDK / ".package-lock.json").is_file():  # npm writes it last
        lacks("BRIDGE_REQUIRE_SDK", "rebilly-js-sdk needs Node and `make rebilly-sdk`")
    with running(tmp_path_factory.mktemp("home")) as (_, url):
        run = subprocess.run(
            [node, str(Path(__file__).with_name("drive.cjs")), url],
            env={"NODE_PATH": str(SDK.absolute())},
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert isinstance(told, dict)
    return told


def test_it_creates_reads_and_updates_customers(seen: dict[str, Any]) -> None:
    given = {"firstName": "Ada", "lastName": "Okoro", "email": "ada@shop.test", "language": "en"}
    assert seen["made"].items() >= (given | {"customFields": {"tier": "gold"}}).items()
    assert seen["read"] == seen["made"]
    changed = {"email": "new@shop.test", "revision": 2}
    assert seen["updated"] == seen["made"] | changed | {
        "updatedTime": seen["updated"]["updatedTime"]
    }


def test_it_lists_and_searches_them(seen: dict[str, Any]) -> None:
    total, limit, offset, (newest, before) = seen["listed"]
    assert (total > 2, limit, offset) == (True, 2, 0)  # the demo data has some of its own
    assert (newest["firstName"], before) == ("Bo", seen["made"])
    assert seen["found"] == [seen["made"]["id"]]


def test_its_only_way_to_delete_deletes_softly(seen: dict[str, Any]) -> None:
    assert seen["deleted"] == "deleted"
    assert seen["refused"]["deleted"] == {
        "kind": "RebillyConflictError",
        "status": 409,
        "details": "customer is deleted",
    }


def test_it_defines_and_reads_custom_fields(seen: dict[str, Any]) -> None:
    assert seen["field"] == ["string", ["gold", "silver"], 2]


def test_both_of_its_ways_to_send_a_key_are_taken(seen: dict[str, Any]) -> None:
    assert seen["publishable"] == seen["made"]["id"]


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
def test_a_refusal_is_its_error_of_that_kind(
    seen: dict[str, Any], call: str, kind: str, status: int, details: str | None
) -> None:
    assert seen["refused"][call] == {"kind": kind, "status": status, "details": details}
