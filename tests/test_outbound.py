"""HTTPS calls to others: how often they are tried. Source: docs/api/native.md, section 2 (B7)."""

from typing import Any

import pytest

from bridge import outbound
from local.flowless import Flowless

URL = "/auth/bridge/validate"


def post(url: str, tries: int = 2) -> tuple[int, dict[str, Any]]:
    return outbound.post_json(url, {"a": "é"}, {"X-Bridge-Secret": "s"}, timeout_s=2, tries=tries)


@pytest.fixture
def server(flowless: Flowless) -> Flowless:
    flowless.reset()
    return flowless


def test_post_json_sends_and_reads_a_json_object(server: Flowless) -> None:
    status, body = post(server.url + URL)
    assert (status, body["success"]) == (400, False)  # a definite response ends the tries
    (request,) = server.requests
    assert request.headers["Content-Type"] == "application/json"
    assert request.body == b'{"a": "\\u00e9"}'


@pytest.mark.parametrize("kind", ["down", "500", "html_502", "garbage"])
@pytest.mark.parametrize("tries", [1, 2])
def test_failed_request_is_tried_exactly_as_often_as_asked(
    server: Flowless, kind: Any, tries: int
) -> None:
    server.fault(kind, times=tries - 1)
    assert post(server.url + URL, tries)[0] == 400
    server.fault(kind, times=None)
    with pytest.raises(outbound.Unreachable):
        post(server.url + URL, tries)
    assert len(server.requests) == 2 * tries


def test_unreachable_error_contains_no_address_and_no_secret() -> None:
    with pytest.raises(outbound.Unreachable) as raised:
        post("http://127.0.0.1:9/private?token=private")
    assert "private" not in str(raised.value)


@pytest.mark.parametrize("kind", ["500", "html_502", "garbage"])
def test_repeated_request_has_the_same_body(server: Flowless, kind: Any) -> None:
    server.fault(kind)
    assert post(server.url + URL)[0] == 400
    first, second = server.requests
    assert first.body == second.body == b'{"a": "\\u00e9"}'


def test_get_json_reads_a_json_object(server: Flowless) -> None:
    server.fault("500")
    status, body = outbound.get_json(server.url + URL, timeout_s=2, tries=2)
    assert (status, body["success"]) == (404, False)
    assert [(each.method, each.headers["Accept"]) for each in server.requests] == [
        ("GET", "application/json")
    ] * 2


def test_get_json_without_a_response_is_unreachable() -> None:
    with pytest.raises(outbound.Unreachable) as raised:
        outbound.get_json("http://127.0.0.1:9/", timeout_s=2, tries=1)
    assert (raised.value.status, raised.value.code) == (503, "provider_unavailable")
