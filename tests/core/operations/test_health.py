"""The health check. Source: docs/api/native.md, section 6."""

import socket
from collections.abc import Callable, Iterator

import pytest

from bridge import aws
from bridge.core.operations import health

pytestmark = pytest.mark.usefixtures("tables")


@pytest.fixture
def unreachable_database(monkeypatch: pytest.MonkeyPatch, tables: None) -> Iterator[None]:
    """The address of the database is a port where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("DYNAMODB_ENDPOINT", f"http://127.0.0.1:{free.getsockname()[1]}")
        aws.client.cache_clear()
        yield
    monkeypatch.undo()
    aws.client.cache_clear()


@pytest.mark.parametrize("path", ["/health", "/health/ready", "/health/live"])
def test_health_with_database_is_ok_with_the_version(
    path: str, setting: Callable[[str, str], None]
) -> None:
    setting("VERSION", "1.2.3")
    found = health.check(path)
    assert (found.status, found.version, found.http_status) == ("ok", "1.2.3", 200)


def test_version_is_dev_if_it_is_not_set(setting: Callable[[str, str], None]) -> None:
    setting("VERSION", "")
    assert health.check("/health").version == "dev"


@pytest.mark.parametrize(
    ("path", "status"),
    [("/health", "unavailable"), ("/health/ready", "unavailable"), ("/health/live", "ok")],
)
def test_health_without_database_is_unavailable_except_of_the_process(
    unreachable_database: None, path: str, status: str
) -> None:
    assert health.check(path).status == status
