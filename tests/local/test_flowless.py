"""The simulator of Flowless. Source: docs/api/native.md, section 2 (B7, mode `flowless`)."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import requests

from local.flowless import Flowless
from local.stripe.server import serving

SECRET = "s3cret"
JANE: dict[str, object] = {
    "user_id": "user_456",
    "email": "jane.doe@example.com",
    "name": "Jane",
    "last_name": "Doe",
    "organizations": {"org_456": "admin"},
}


@pytest.fixture(scope="module")
def running() -> Iterator[Flowless]:
    with serving(Flowless(secret=SECRET)) as flowless:
        yield flowless


@pytest.fixture
def flowless(running):
    running.reset()
    running.sessions["session_abc123"] = dict(JANE)
    return running


@pytest.fixture
def ask(flowless):
    """Validate a session. `body` and `headers` replace fields, and None removes one."""

    def send(session_id="session_abc123", body=(), headers=(), **more):
        given = {"session_id": session_id, "validation_mode": "standard"}
        given |= {"ip": "192.0.2.1", "user_agent": "curl"} | dict(body)
        given = {key: value for key, value in given.items() if value is not None}
        sent = {"X-Session-ID": session_id, "X-Bridge-Secret": SECRET} | dict(headers)
        url = f"{flowless.url}/auth/bridge/validate"
        return requests.post(url, json=given, headers=sent, timeout=more.get("timeout", 5))

    return send


def test_known_session_returns_its_user(ask):
    answer = ask()
    body = answer.json()
    assert (answer.status_code, body["success"]) == (200, True)
    assert body["user"]["id"] == "user_456"
    assert body["user"]["email"] == "jane.doe@example.com"
    assert (body["user"]["name"], body["user"]["last_name"]) == ("Jane", "Doe")
    assert body["user"]["organizations"] == {"org_456": "admin"}
    assert body["user"].keys() >= {"phone", "user_type"}
    assert datetime.fromisoformat(body["expires_at"]) > datetime.now(UTC)


@pytest.mark.parametrize("form", [str, lambda at: at], ids=["text", "datetime"])
def test_given_end_of_a_session_is_returned_and_checked(ask, flowless, form):
    ends = datetime.now(UTC) + timedelta(seconds=60)
    flowless.sessions["session_abc123"]["expires_at"] = form(ends)
    assert datetime.fromisoformat(ask().json()["expires_at"]) == ends
    flowless.sessions["session_abc123"]["expires_at"] = form(ends - timedelta(seconds=61))
    assert ask().json() == {"success": False, "error": "the session has expired"}


@pytest.mark.parametrize("session_id", ["session_other", "SESSION_ABC123"])
def test_unknown_session_is_refused(ask, session_id):
    answer = ask(session_id)
    assert (answer.status_code, answer.json()["success"]) == (401, False)
    assert isinstance(answer.json()["error"], str)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-Bridge-Secret": "wrong"}, 403),
        ({"X-Bridge-Secret": None}, 403),
        ({"X-Session-ID": "session_def456"}, 400),
        ({"X-Session-ID": None}, 400),
        ({"Content-Type": "text/plain"}, 400),
    ],
)
def test_wrong_headers_are_refused(ask, headers, status):
    answer = ask(headers=headers)
    assert (answer.status_code, answer.json()["success"]) == (status, False)


@pytest.mark.parametrize(
    "body",
    [
        {"session_id": None},
        {"session_id": 5},
        {"validation_mode": "fast"},
        {"validation_mode": None},
        {"ip": None},
        {"user_agent": None},
        {"extra": 1},
    ],
)
def test_undocumented_body_is_a_400(ask, body):
    assert ask(body=body).status_code == 400


@pytest.mark.parametrize("body", ["{", "[]", "1", b"\xff"])
def test_body_that_is_not_an_object_is_a_400(flowless, body):
    url = f"{flowless.url}/auth/bridge/validate"
    headers = {"X-Bridge-Secret": SECRET, "Content-Type": "application/json"}
    assert requests.post(url, data=body, headers=headers, timeout=5).status_code == 400


@pytest.mark.parametrize(("method", "path"), [("GET", "/auth/bridge/validate"), ("POST", "/")])
def test_other_path_is_a_404(flowless, method, path):
    assert requests.request(method, flowless.url + path, timeout=5).status_code == 404


def test_simulator_without_a_secret_accepts_any_secret(flowless):
    with serving(Flowless()) as other:
        headers = {"X-Bridge-Secret": "any", "Content-Type": "application/json"}
        url = f"{other.url}/auth/bridge/validate"
        assert requests.post(url, data="[]", headers=headers, timeout=5).status_code == 400
        assert requests.post(url, data="[]", timeout=5).status_code == 403


class TestFaults:
    @pytest.mark.parametrize(
        ("kind", "status"), [("500", 500), ("html_502", 502), ("garbage", 200)]
    )
    def test_fault_returns_a_wrong_response_once(self, ask, flowless, kind, status):
        flowless.fault(kind)
        first = ask()
        assert first.status_code == status
        assert first.text != ask().text

    def test_down_fault_gives_no_response(self, ask, flowless):
        flowless.fault("down", times=2)
        for _ in range(2):
            with pytest.raises(requests.ConnectionError):
                ask()
        assert ask().status_code == 200
        assert [each.status for each in flowless.requests] == [None, None, 200]

    def test_slow_fault_exceeds_the_clients_timeout(self, ask, flowless):
        flowless.fault("slow", seconds=0.4)
        with pytest.raises(requests.ReadTimeout):
            ask(timeout=0.1)
        assert ask().status_code == 200

    def test_permanent_fault_ends_with_a_reset(self, ask, flowless):
        flowless.fault("500", times=None)
        assert [ask().status_code for _ in range(3)] == [500] * 3
        flowless.reset()
        assert ask().status_code == 401

    def test_unknown_fault_is_refused(self, flowless):
        with pytest.raises(ValueError, match="unknown kind"):
            flowless.fault("explode")


def test_log_has_the_received_requests(ask, flowless):
    ask()
    (logged,) = flowless.requests
    assert logged.headers["x-bridge-secret"] == SECRET
    assert b'"session_abc123"' in logged.body


def test_stop_ends_slow_requests_and_the_port_can_be_used_again():
    other = Flowless()
    with serving(other), ThreadPoolExecutor() as pool:
        url = other.url
        other.fault("slow", seconds=30)
        waiting = pool.submit(requests.get, url, timeout=10)
        while not other.requests:
            time.sleep(0.005)
        other.stop()
        assert waiting.result(timeout=2).status_code == 404
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=1)
    with serving(other):
        assert other.url == url
        assert requests.get(url, timeout=5).status_code == 404
