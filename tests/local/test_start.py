"""`make start` on a new machine: no docker, java or node on PATH, no AWS account."""

import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from local.dynamodb_local import url as dynamodb_local_url
from local.template import ROOT
from tests.conftest import lacks

JANE = {"X-Session-ID": "session_abc123"}
CALLERS_ENVIRONMENT = {
    "AWS_PROFILE": "production",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "STAGE": "prod",
}

pytestmark = pytest.mark.slow


def launch(home: Path, port: int | str, **more: str) -> subprocess.Popen[str]:
    """Start `python -m local` with an almost empty environment."""
    environment = {"PATH": str(home), "HOME": str(home), "PORT": str(port)} | more
    return subprocess.Popen(
        [sys.executable, "-m", "local"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextmanager
def running(home: Path, **more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and its URL, as soon as it reports that it runs."""
    process = launch(home, 0, **more)
    assert process.stdout
    try:
        output: list[str] = []
        for line in process.stdout:
            output.append(line)
            if line.startswith("Bridge Payments runs at "):
                yield process, line.split()[-1]
                return
        pytest.fail("it did not start:\n" + "".join(output))
    finally:
        process.kill()
        process.communicate()


def ask(url: str, method: str, path: str, body: Any = None, headers: Any = JANE) -> Any:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    content = json.dumps(body) if body is not None else None
    connection.request(method, path, content, {"Content-Type": "application/json"} | headers)
    answer = connection.getresponse()
    text = answer.read()
    assert answer.status < 300, text
    return json.loads(text)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("home"), **CALLERS_ENVIRONMENT) as (_, url):
        yield url


def test_health_needs_no_credential(url: str) -> None:
    assert ask(url, "GET", "/health", headers={})["status"] == "ok"


def test_demo_records_exist(url: str) -> None:
    listed = ask(url, "GET", "/bridge-payment/customers?limit=10")
    assert [each["id"] for each in listed[-2:]] == ["cust_123", "cust_456"]
    assert [each["name"] for each in listed[-2:]] == ["John Doe", "Jane Smith"]
    payment = ask(url, "GET", "/bridge-payment/payments/pay_123")
    assert payment["status"] == "succeeded"
    assert payment["amount_captured_cents"] == payment["total_cents"] == 2000
    assert payment["provider_payment_id"] == "pi_stripe_abc123"
    synced = ask(url, "POST", "/bridge-payment/payments/sync/pi_stripe_abc123")
    assert synced == payment


def test_saved_card_pays(url: str) -> None:
    new = {"total_cents": 2000, "currency": "USD", "payment_method_id": "pm_saved_card_123"}
    made = ask(url, "POST", "/bridge-payment/payments/intents", new)
    assert made["customer_id"] == "cust_456"
    paid = ask(url, "POST", f"/bridge-payment/payments/confirm/{made['id']}", {})
    assert paid["status"] == "succeeded"


def test_state_has_the_simulators_and_their_records(url: str) -> None:
    state = ask(url, "GET", "/_local/state")
    assert state["simulators"]["stripe"].startswith("http://127.0.0.1:")
    charged = [each["payment_intent"] for each in state["stripe"]["charges"]]
    assert charged.count("pi_stripe_abc123") == 1
    seen = ask(state["simulators"]["stripe"], "GET", "/_sim/state")
    assert len(seen["payment_intents"]) == len(state["stripe"]["payment_intents"])


def test_payment_at_stripe_arrives_by_webhook(url: str) -> None:
    """The payment arrives by a signed webhook, the queue and its worker."""
    new = {"total_cents": 2000, "currency": "USD"}
    made = ask(url, "POST", "/bridge-payment/payments/intents", new)
    stripe = ask(url, "GET", "/_local/state")["simulators"]["stripe"]
    paid = {"payment_intent": made["provider_payment_id"], "client_secret": made["client_secret"]}
    ask(stripe, "POST", "/_sim/browser/confirm", paid | {"payment_method": "pm_card_visa"})
    for _ in range(100):
        found = ask(url, "GET", f"/bridge-payment/payments/{made['id']}")
        if found["status"] == "succeeded":
            break
        time.sleep(0.1)
    assert found["status"] == "succeeded"
    timeline = ask(url, "GET", f"/bridge-payment/payments/{made['id']}/timeline")
    assert "webhook" in json.dumps(timeline)


def test_every_change_is_an_event_on_the_bus(url: str) -> None:
    new = {"total_cents": 2000, "currency": "USD", "payment_method_id": "pm_card_visa"}
    made = ask(url, "POST", "/bridge-payment/payments/intents", new)
    ask(url, "POST", f"/bridge-payment/payments/confirm/{made['id']}", {})
    assert events_of(url, made["id"], 2) == [(1, "payment.created"), (2, "payment.succeeded")]
    assert events_of(url, "pay_123", 2) == [(1, "payment.created"), (2, "payment.succeeded")]


def events_of(url: str, payment_id: str, count: int) -> list[tuple[int, str]]:
    """The events of a payment, as soon as there are `count` of them."""
    for _ in range(100):
        events = ask(url, "GET", "/_local/state")["events"]
        mine = [each for each in events if each["detail"]["payment_id"] == payment_id]
        if len(mine) >= count:
            break
        time.sleep(0.1)
    return [(each["detail"]["seq"], each["detail-type"]) for each in mine]


@pytest.mark.race
def test_events_are_delivered_with_dynamodb_local(tmp_path: Path) -> None:
    if not (endpoint := dynamodb_local_url()):
        lacks("BRIDGE_REQUIRE_RACE", "DynamoDB Local needs Java and `make dynamodb-local`")
    with running(tmp_path, DYNAMODB_ENDPOINT=endpoint) as (_, url):
        assert events_of(url, "pay_123", 2) == [(1, "payment.created"), (2, "payment.succeeded")]


def test_sessions_can_be_checked_by_flowless(tmp_path: Path) -> None:
    with running(tmp_path, SESSION_MODE="flowless") as (_, url):
        assert ask(url, "GET", "/bridge-payment/payments/pay_123")["user_id"] == "user_456"


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_signal_stops_everything_without_a_traceback(tmp_path: Path, name: int) -> None:
    with running(tmp_path) as (process, url):
        ask(url, "GET", "/health")
        state = ask(url, "GET", "/_local/state")
        process.send_signal(name)
        output, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in output
    assert output.endswith("Stopped.\n")
    for each in (url, state["simulators"]["stripe"]):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", urlsplit(each).port or 0), timeout=1)


def test_signal_during_the_start_causes_no_traceback(tmp_path: Path) -> None:
    process = launch(tmp_path, 0)
    assert process.stdout
    assert process.stdout.readline().startswith("Starting")
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert (process.returncode, "Traceback" in output) == (0, False)


def test_busy_port_is_reported_with_another_command(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = launch(tmp_path, port)
        output, _ = process.communicate(timeout=20)
    assert process.returncode == 1
    assert f"Port {port} is not to be had (Address already in use)" in output
    assert "make start" in output
    assert "Traceback" not in output


@pytest.mark.parametrize("port", ["http", "-1", "65536", "٣"])
def test_invalid_port_is_refused(tmp_path: Path, port: str) -> None:
    process = launch(tmp_path, port)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 1
    assert output.startswith("PORT must be a number")
