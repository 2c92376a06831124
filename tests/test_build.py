"""The built layers, and every function in a process that has nothing but them.

Source: docs/deployment.md, section 2.
"""

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from msgspec.structs import replace

from bridge.store.payments import outbox_items
from local import database
from local.stripe.simulator import StripeSimulator
from tests.conftest import Environment
from tests.policies import ROOT, grants, is_allowed, needs
from tests.stripe_events import batch, delayed
from tests.template.stack import NAMES, event_of, logical_id

HOST_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
HOST_ARCHITECTURE = "x86_64" if platform.machine() == "x86_64" else "arm64"
RUNTIME = ("boto3", "botocore", "s3transfer", "dateutil", "six.py")  # part of Lambda's runtime
UNCHECKED_HASH = b"\x01\x00\x00\x00"  # the flags of a .pyc, PEP 552

# It has nothing but the layers, and handles each line of input in a fork of its own: all of them
# share the libraries that are loaded already, and nothing else. It prints the exit code of each.
BARE = """
import json, os, sys, traceback
sys.path[:0] = sys.argv[1:]
import aws_lambda_powertools, boto3, botocore.client, pydantic, stripe

calls = []
send = botocore.client.BaseClient._make_api_call


def recorded(self, operation, arguments):
    calls.append((self.meta.service_model.service_name, operation, arguments))
    return send(self, operation, arguments)


botocore.client.BaseClient._make_api_call = recorded


class Context:
    aws_request_id = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    function_name = invoked_function_arn = memory_limit_in_mb = "0"

    def __init__(self, timeout_s):
        self.timeout_s = timeout_s

    def get_remaining_time_in_millis(self):
        return self.timeout_s * 1000


def run(folder, event, timeout_s, environment, output):
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # where the logs go
    os.environ.clear()
    os.environ.update(environment)
    sys.path.insert(0, folder)
    import handler

    answer = handler.handler(event, Context(timeout_s))
    with open(output, "w") as file:
        json.dump({"answer": answer, "calls": calls}, file, default=str)


for line in sys.stdin:
    if child := os.fork():
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        continue
    try:
        run(**json.loads(line))
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)
"""

NOTHING_DUE = dict.fromkeys(
    ("checked", "failed", "left", "events", "oldest_due_seconds", "stuck_attempts"), 0
)
WITH_DEMO_DATA = {
    "jobs/sweep_payments": NOTHING_DUE,
    "jobs/finish_deletion": {"finished": 0, "failed": 0, "left": 0},
    "jobs/read_event_log": {"listed": 0, "queued": 0, "is_whole": True},
    "jobs/deliver_events": {"events": 2, "deferred": 0, "retries_exhausted": 0, "left": 0},
}

Bare = Callable[..., dict[str, Any]]
Run = Callable[..., dict[str, Any]]


def make(layer: str, target: str, folder: Path, **variables: str) -> str:
    """Build a layer as SAM does. Returns the output of the build."""
    given = [f"{name}={value}" for name, value in variables.items()]
    command = ["make", "-s", "-C", str(ROOT / "layers" / layer), target, f"ARTIFACTS_DIR={folder}"]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    run = subprocess.run(
        [*command, *given],
        env=os.environ | {"PATH": path},
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert run.returncode == 0, run.stdout
    return run.stdout


@pytest.fixture(scope="module")
def layers(made_once: Callable[..., Path]) -> list[Path]:
    """Both layers for this machine's Python and processor, and Lambda's own libraries."""
    folder = made_once("layers", make_layers)
    return [folder / "dependencies" / "python", folder / "bridge" / "python", folder / "runtime"]


def make_layers(folder: Path) -> None:
    make(
        *("dependencies", "build-DependenciesLayer", folder / "dependencies"),
        ARCHITECTURE=HOST_ARCHITECTURE,
        PYVER=HOST_PYTHON,
    )
    make("bridge", "build-BridgeLayer", folder / "bridge", PYVER=HOST_PYTHON)
    (folder / "runtime").mkdir()
    for name in RUNTIME:
        (folder / "runtime" / name).symlink_to(Path(boto3.__file__).parent.parent / name)


@pytest.fixture(scope="module")
def bare(layers: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bare]:
    """A process without site-packages and without the repository."""
    folder = tmp_path_factory.mktemp("bare")
    command = [sys.executable, "-I", "-S", "-c", BARE, *map(str, layers)]
    with (
        (folder / "errors").open("w") as errors,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):

        def call(**request: Any) -> dict[str, Any]:
            assert process.stdin
            assert process.stdout
            process.stdin.write(json.dumps(request | {"output": str(folder / "output")}) + "\n")
            process.stdin.flush()
            assert process.stdout.readline() == "0\n", (folder / "errors").read_text()
            return dict(json.loads((folder / "output").read_text()))

        yield call
        process.kill()


@pytest.fixture
def run(bare: Bare, demo_data: StripeSimulator) -> Run:
    """Call a function in a process of its own, which has nothing but the built layers.

    Every AWS call that it makes must be allowed by the policies of its role.
    """

    def call(name: str, event: dict[str, Any] | None = None) -> dict[str, Any]:
        limits = {
            each: "20" for each in os.environ if each.startswith("GUEST_") and "_PER_" in each
        }
        output = bare(
            folder=str(ROOT / "functions" / name),
            event=event or event_of(name),
            timeout_s=55 if name.startswith("jobs/") else 25,
            environment=os.environ | limits,
        )
        given = grants(logical_id(name))
        for service, operation, arguments in output["calls"]:
            for need in needs(service, operation, arguments):
                assert is_allowed(need, given), f"{name} may not {need}"
        assert isinstance(output["answer"], dict)
        return output["answer"]

    return call


@pytest.fixture
def ask(run: Run) -> Callable[..., Any]:
    """Send a function its event file with another id, body or header. It must succeed."""

    def ask(name: str, identifier: str = "", body: Any = None, **headers: str) -> Any:
        event = event_of(name)
        if identifier:
            written = event["pathParameters"]["id"]
            event = json.loads(json.dumps(event).replace(written, identifier))
        sent = event["headers"] | {"idempotency-key": ""}
        sent |= {each.replace("_", "-"): value for each, value in headers.items()}
        event["headers"] = {each: value for each, value in sent.items() if value}
        if body is not None:
            event["body"] = json.dumps(body)
        answer = run(name, event)
        assert answer["statusCode"] < 400, answer["body"]
        return json.loads(answer.get("body", "null"))

    return ask


def compiled(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Every source file in a folder, with the place of its bytecode."""
    for source in sorted(folder.rglob("*.py")):
        tag = f"cpython-{HOST_PYTHON.replace('.', '')}"
        yield source, source.parent / "__pycache__" / f"{source.stem}.{tag}.pyc"


@pytest.mark.slow
def test_dependency_layer_contains_wheels_of_the_target_and_bytecode_if_possible(
    tmp_path: Path,
) -> None:
    output = make("dependencies", "build-DependenciesLayer", tmp_path)
    tags = [
        line.removeprefix("Tag: ")
        for wheel in tmp_path.glob("python/*.dist-info/WHEEL")
        for line in wheel.read_text().splitlines()
        if line.startswith("Tag: ")
    ]
    binary = [tag for tag in tags if not tag.endswith("-none-any")]
    assert any(tag.startswith("cp313-cp313-manylinux") for tag in binary)
    for tag in binary:
        assert re.fullmatch(r"(cp313-cp313|cp3\d+-abi3)-manylinux.*_aarch64", tag)
    assert not (tmp_path / "python" / "boto3").exists()
    sources, bytecode = (len(list(tmp_path.rglob(each))) for each in ("*.py", "*.cpython-313.pyc"))
    assert bytecode == (sources if "bytecode of Python 3.13" in output else 0)
    assert ("NO BYTECODE" in output) == (bytecode == 0)


@pytest.mark.slow
def test_layers_contain_unchecked_bytecode_and_no_path_of_this_machine(
    layers: list[Path],
) -> None:
    for folder in layers[:2]:
        for source, bytecode in compiled(folder):
            content = bytecode.read_bytes()
            assert content[4:8] == UNCHECKED_HASH, source
            assert str(folder).encode() not in content, source


@pytest.mark.slow
def test_build_without_the_targets_python_warns_and_contains_no_bytecode(tmp_path: Path) -> None:
    output = make("bridge", "build-BridgeLayer", tmp_path, PYVER="3.99")
    assert "WARNING" in output
    assert "NO BYTECODE: there is no Python 3.99" in output
    assert list(tmp_path.rglob("*.pyc")) == []


def test_both_layers_are_compiled_by_the_same_recipe() -> None:
    """Each layer is built in a copy of its own folder, so they cannot share a file."""
    recipes = [
        (ROOT / "layers" / folder / "Makefile").read_text().partition("\t@for ")[2]
        for folder in ("bridge", "dependencies")
    ]
    assert recipes[0]
    assert recipes[0].replace("BridgeLayer", "DependenciesLayer") == recipes[1]


def test_every_lock_file_has_the_layers_pins_and_hashes_and_no_address() -> None:
    folders = ("layers/dependencies", "local", "tests")
    locks = [(ROOT / folder / "requirements.txt").read_text() for folder in folders]
    sam = (ROOT / ".ci" / "sam-requirements.txt").read_text()
    pins = [set(re.findall(r"^\S+==\S+", lock, re.MULTILINE)) for lock in locks]
    assert pins[0] < pins[1] < pins[2]
    assert {"boto3", "botocore"}.isdisjoint(pin.split("==")[0] for pin in pins[0])
    for lock in [*locks, sam]:
        assert "://" not in lock
        entries = re.findall(r"^\S+==.*(?:\n    .*)*", lock, re.MULTILINE)
        assert all("--hash=sha256:" in entry for entry in entries)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_function_answers_its_event_with_only_the_built_layers(
    name: str,
    run: Run,
    put_secret: Callable[[str, str], None],
    setting: Callable[[str, str], None],
) -> None:
    put_secret("STRIPE_WEBHOOK_SECRET", "whsec_bridge_golden_0001")  # signs the event file
    setting("MONRI_TIMESTAMP_WINDOW_S", "0")  # Monri's event files are signed at a past time
    answer = run(name)
    if name.startswith("operations/") and "statusCode" not in answer:
        assert answer["ok"], answer
    elif name == "jobs/reconcile_payments":
        assert answer["is_whole"], answer
    elif name == "jobs/process_queue_message":
        assert answer == {"batchItemFailures": []}
    elif name.startswith("jobs/"):
        assert answer == WITH_DEMO_DATA[name]
    else:
        assert answer["statusCode"] < 400, answer["body"]


@pytest.mark.slow
def test_rights_suffice_from_a_guests_intent_to_the_sweep(
    run: Run, ask: Callable[..., Any], environment: Environment
) -> None:
    """`run` checks every call against the policies. The event files alone do not use all paths."""
    guest = {"guest_data": {"email": "donor@example.com", "name": "John Doe"}}
    saved = {"total_cents": 2000, "currency": "USD", "payment_method_id": "pm_saved_card_123"}

    money = {"total_cents": 2000, "currency": "USD"}
    given = ask("native/create_payment_intent", body=money | guest, x_session_id="")
    ask("native/create_customer", body=guest | {"provider_id": "stripe"}, x_session_id="")
    token = {"x_session_id": "", "x_guest_token": given["guest_token"]}
    ask("native/get_payment", given["id"], **token)
    ask("native/confirm_payment", given["id"], {"payment_method_id": "pm_card_visa"}, **token)
    made = ask("native/create_payment_intent", body=saved | {"organization_id": "org_456"})
    ask("native/update_payment_intent", made["id"], {"total_cents": 2500})
    ask("native/get_payment", made["provider_payment_id"])
    ask("native/confirm_payment", made["id"], {}, idempotency_key="k1")
    ask("native/confirm_payment", made["id"], {}, idempotency_key="k1")
    ask("native/sync_payment", made["provider_payment_id"])
    ask("native/list_guest_payments", x_session_id="session_abc123")
    left = ask("native/create_payment_intent", body=money)
    make_due(left["id"])
    assert run("operations/synchronize_payment", {"payment_id": left["id"]})["ok"]
    make_due(left["id"])
    assert run("jobs/sweep_payments")["checked"] == 1
    foreign = {"provider_id": "stripe", "event_id": "evt_1", "type": "charge.refunded"}
    known = foreign | {"event_id": "evt_2", "provider_payment_id": left["provider_payment_id"]}
    burst = [{"event_reference": known | {"event_id": f"evt_{number}"}} for number in range(3, 8)]
    status_check = {"status_check": {"payment_id": left["id"], "attempt": 1}}
    messages = batch(
        {"event_reference": foreign | {"parent_id": "ch_1"}},
        {"event_reference": known},
        *burst,
        status_check,
    )
    assert run("jobs/process_queue_message", messages) == {"batchItemFailures": []}
    environment.stripe.fault("confirm", "drop_after")
    ask("native/confirm_payment", left["id"], {"payment_method_id": "pm_card_visa"})
    assert delayed(environment.queues["SyncQueue"]) >= 2


@pytest.mark.slow
def test_rights_suffice_when_events_are_late_or_a_customer_is_deleted(
    run: Run, setting: Callable[[str, str], None]
) -> None:
    seen = outbox_items.get_cursor("pay_123")
    outbox_items.move(seen, replace(seen, due_at=1))
    assert run("jobs/sweep_payments")["events"] == 2
    setting("CASCADE_PAYMENTS", "1")
    event = json.loads(json.dumps(event_of("native/delete_customer")).replace("cust_123", OWNER))
    assert run("native/delete_customer", event)["statusCode"] == 204
    # One of the demo's payments waits for its capture, so the job is not finished in this run.
    assert run("jobs/finish_deletion") == {"finished": 0, "failed": 0, "left": 1}
    left = run("operations/inspect_payment")
    assert (left["payment"]["is_hidden"], left["delivery"]["sent"]) == (True, 2)


@pytest.mark.slow
def test_rights_suffice_where_webhooks_were_lost(
    run: Run, ask: Callable[..., Any], environment: Environment
) -> None:
    made = ask("native/create_payment_intent", body={"total_cents": 2000, "currency": "USD"})
    environment.stripe.advance(-600)  # its events are ten minutes old then
    environment.stripe.browser_confirm(
        made["provider_payment_id"], made["client_secret"], "pm_card_visa"
    )
    environment.stripe.advance(600)
    assert run("jobs/read_event_log")["queued"]
    assert run("jobs/read_event_log")["is_whole"]
    assert run("jobs/reconcile_payments")["differing"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["api_key", "merchant", "oauth_client"])
def test_rights_suffice_to_create_list_and_revoke_a_credential(run: Run, kind: str) -> None:
    owner = {"organization_id": "org_456"}
    made = run("operations/create_credential", owner | {"kind": kind})["credential"]
    assert made in run("operations/list_credentials", owner)["credentials"]
    which = owner | {"credential_id": made["id"]}
    assert run("operations/revoke_credential", which) == {"ok": True}
    (line,) = (
        each
        for each in run("operations/list_credentials", owner)["credentials"]
        if each["id"] == made["id"]
    )
    assert line["revoked_at"]


@pytest.mark.slow
def test_rights_suffice_where_a_method_or_an_address_is_saved(
    run: Run, ask: Callable[..., Any], environment: Environment
) -> None:
    """A method is attached, saved by a payment in each place that can find it paid, and deleted."""
    shared = {"organization_id": "org_456"}
    made = ask("native/create_payment_method", body=shared | {"token": "pm_card_visa"})
    again = {"token": made["provider_payment_method_id"]}
    for _ in range(2):
        ask("native/create_payment_method", body=shared | again, idempotency_key="k1")
    place = ask("native/create_address", body=shared | HOME)
    bills = {"billing_address_id": place["id"], "is_default": True}
    assert ask("native/update_payment_method", made["id"], bills)["is_default"]
    saving = {"total_cents": 2000, "currency": "USD", "setup_future_usage": "off_session"}
    paid = ask("native/create_payment_intent", body=saving)
    ask("native/confirm_payment", paid["id"], {"payment_method_id": "pm_card_visa"})
    browser = [ask("native/create_payment_intent", body=saving) for _ in range(4)]
    for each in browser:
        environment.stripe.browser_confirm(
            each["provider_payment_id"], each["client_secret"], "pm_card_visa"
        )
    ask("native/sync_payment", browser[0]["provider_payment_id"])
    assert run("operations/synchronize_payment", {"payment_id": browser[1]["id"]})["ok"]
    make_due(browser[2]["id"])
    assert run("jobs/sweep_payments")["checked"]
    reference = {"provider_id": "stripe", "event_id": "evt_1", "type": "payment_intent.succeeded"}
    reference |= {"provider_payment_id": browser[3]["provider_payment_id"]}
    assert run("jobs/process_queue_message", batch({"event_reference": reference})) == {
        "batchItemFailures": []
    }
    for number, action in enumerate(("renew", "detach")):
        environment.stripe.dashboard_method(action, made["provider_payment_method_id"])
        reference = {"provider_id": "stripe", "event_id": f"evt_{number + 2}", "type": action}
        reference |= {"token": made["provider_payment_method_id"]}
        assert run("jobs/process_queue_message", batch({"method_event_reference": reference})) == {
            "batchItemFailures": []
        }
    assert len(ask("native/list_payment_methods")) == 1 + 5
    assert run("native/delete_payment_method")["statusCode"] == 204
    assert run("native/delete_address")["statusCode"] == 204
    assert run("jobs/finish_deletion") == {"finished": 2, "failed": 0, "left": 0}


@pytest.mark.slow
def test_rights_suffice_with_a_bearer_token_of_monri(run: Run) -> None:
    token = json.loads(run("monri/create_token")["body"])["access_token"]
    names = [name for name in NAMES if name.startswith("monri/")]
    for name in sorted(names, key="monri/delete_customer".__eq__):  # the deletion comes last
        event = event_of(name)
        event["headers"]["authorization"] = f"Bearer {token}"
        assert run(name, event)["statusCode"] == 200, name


@pytest.mark.slow
def test_rights_suffice_with_an_access_token_of_alternative_payments(run: Run) -> None:
    token = json.loads(run("alternative/create_token")["body"])["access_token"]
    names = [name for name in NAMES if name.startswith("alternative/")]
    names.remove("alternative/create_token")
    for name in sorted(names, key="alternative/archive_customer".__eq__):  # archiving comes last
        event = event_of(name)
        event["headers"]["authorization"] = token
        assert run(name, event)["statusCode"] in (200, 201), name


HOME = {"line1": "1 Main Street", "city": "Springfield", "country": "US"}
OWNER = "cust_456"  # the demo's customer with a saved method and a payment


def make_due(payment_id: str) -> None:
    """The next sweep checks this payment."""
    database.client().update_item(
        TableName=os.environ["LEDGER_TABLE"],
        Key={"pk": {"S": f"P#{payment_id.split('_')[1]}"}, "sk": {"S": "P"}},
        UpdateExpression="SET due_at = :long_ago",
        ExpressionAttributeValues={":long_ago": {"N": "1"}},
    )
