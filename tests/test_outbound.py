"""HTTPS to others: one repetition, no secrets told. Source: contracts/bridge.md, B7."""

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


def test_a_json_object_is_sent_and_read(server: Flowless) -> None:
    status, told = post(server.url + URL)
    assert (status, told["success"]) == (400, False)  # a definite answer is not repeated
    (asked,) = server.requests
    assert asked.headers["Content-Type"] == "application/json"
    assert asked.body == b'{"a": "\\u00e9"}'


@pytest.mark.parametrize("kind", ["down", "500", "html_502", "garbage"])
@pytest.mark.parametrize("tries", [1, 2])
def test_what_brings_no_answer_is_tried_so_often_and_no_more(
    server: Flowless, kind: Any, tries: int
) -> None:
    server.fault(kind, times=tries - 1)
    assert post(server.url + URL, tries)[0] == 400
    server.fault(kind, times=None)
    with pytest.raises(outbound.Unreachable):
        post(server.url + URL, tries)
    assert len(server.requests) == 2 * tries


def test_what_is_raised_tells_neither_address_nor_secret() -> None:
    with pytest.raises(outbound.Unreachable) as raised:
        post("http://127.0.0.1:9/private?token=private")
    assert "private" not in str(raised.value)
