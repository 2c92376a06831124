"""GET /health, /health/live, /health/ready. Source: contracts/bridge.md, section 6."""

import socket
from collections.abc import Callable, Iterator

import pytest

from bridge.store import dynamodb
from functions.operations.health.handler import handler
from tests.functions.conftest import Api, Reply

Setting = Callable[[str, str], None]


@pytest.fixture
def unreachable_ledger(monkeypatch: pytest.MonkeyPatch, guest: Api) -> Iterator[None]:
    """The database is where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("DYNAMODB_ENDPOINT", f"http://127.0.0.1:{free.getsockname()[1]}")
        dynamodb.client.cache_clear()
        yield
    monkeypatch.undo()
    dynamodb.client.cache_clear()


def test_the_event_file_is_answered_with_the_version(
    guest: Api, invoke: Callable[..., Reply], setting: Setting
) -> None:
    setting("VERSION", "1.2.3")
    reply = invoke(handler, "operations/health")
    assert (reply.status, reply.body) == (200, {"status": "ok", "version": "1.2.3"})


@pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready"])
def test_it_needs_no_credential_and_judges_none(guest: Api, path: str) -> None:
    for caller in (guest, guest.bearing(authorization="Basic nonsense", x_session_id="")):
        reply = caller.send("GET", path)
        assert (reply.status, reply.body["status"]) == (200, "ok")


@pytest.mark.parametrize(
    ("path", "status"), [("/health", 503), ("/health/ready", 503), ("/health/live", 200)]
)
def test_without_a_ledger_it_lives_but_is_not_ready(
    unreachable_ledger: None, guest: Api, path: str, status: int
) -> None:
    reply = guest.send("GET", path)
    assert reply.status == status
    assert reply.body["status"] == ("ok" if status == 200 else "unavailable")


def test_a_read_without_a_ledger_is_503(unreachable_ledger: None, guest: Api) -> None:
    reply = guest.bearing(x_session_id="session_abc123").get("/payments")
    assert (reply.status, reply.code) == (503, "temporarily_unavailable")
    assert int(reply.headers["retry-after"]) >= 1


def test_another_method_is_an_unknown_path(guest: Api) -> None:
    assert guest.send("POST", "/health").status == 404
