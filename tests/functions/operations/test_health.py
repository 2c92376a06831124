"""GET /health, /health/live, /health/ready. Source: docs/api/native.md, section 6."""

import socket
from collections.abc import Callable, Iterator

import pytest

from bridge import aws
from functions.operations.health.handler import handler
from tests.functions.conftest import Api, Reply

Setting = Callable[[str, str], None]


@pytest.fixture
def unreachable_ledger(monkeypatch: pytest.MonkeyPatch, guest: Api) -> Iterator[None]:
    """The address of the database is a port where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("DYNAMODB_ENDPOINT", f"http://127.0.0.1:{free.getsockname()[1]}")
        aws.client.cache_clear()
        yield
    monkeypatch.undo()
    aws.client.cache_clear()


def test_event_file_returns_200_with_the_version(
    guest: Api, invoke: Callable[..., Reply], setting: Setting
) -> None:
    setting("VERSION", "1.2.3")
    reply = invoke(handler, "operations/health")
    assert (reply.status, reply.body) == (200, {"status": "ok", "version": "1.2.3"})


@pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready"])
def test_health_ignores_credentials(guest: Api, path: str) -> None:
    for caller in (guest, guest.with_headers(authorization="Basic nonsense", x_session_id="")):
        reply = caller.send("GET", path)
        assert (reply.status, reply.body["status"]) == (200, "ok")


@pytest.mark.parametrize(
    ("path", "status"), [("/health", 503), ("/health/ready", 503), ("/health/live", 200)]
)
def test_health_without_database_runs_but_is_not_ready(
    unreachable_ledger: None, guest: Api, path: str, status: int
) -> None:
    reply = guest.send("GET", path)
    assert reply.status == status
    assert reply.body["status"] == ("ok" if status == 200 else "unavailable")


def test_list_payments_without_database_returns_503(unreachable_ledger: None, guest: Api) -> None:
    reply = guest.with_headers(x_session_id="session_abc123").get("/payments")
    assert (reply.status, reply.code) == (503, "temporarily_unavailable")
    assert int(reply.headers["retry-after"]) >= 1


def test_post_health_returns_404(guest: Api) -> None:
    assert guest.send("POST", "/health").status == 404
