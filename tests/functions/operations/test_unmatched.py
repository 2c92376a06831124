"""The $default route. Source: contracts/bridge.md, section 1."""

from collections.abc import Callable

import pytest

from functions.operations.unmatched.handler import handler
from tests.functions.conftest import BASE, Api, Reply


def test_the_event_file_is_answered_308_to_the_clean_path(
    guest: Api, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "operations/unmatched")
    assert (reply.status, reply.headers["location"]) == (308, f"{BASE}/customers?limit=10")


@pytest.mark.parametrize(
    ("given", "location"),
    [
        (f"{BASE}//customers", f"{BASE}/customers"),
        (f"{BASE}/customers//", f"{BASE}/customers"),
        (f"//{BASE}///payments/?limit=2&x=%2F/", f"{BASE}/payments?limit=2&x=%2F/"),
        ("//evil.test/x", "/evil.test/x"),
        ("//%5Cevil.test/", "/%5Cevil.test"),
        (f"{BASE}/caf%C3%A9//", f"{BASE}/caf%C3%A9"),
        (f"{BASE}/a%0D%0AX-Evil:1//", f"{BASE}/a%0D%0AX-Evil%3A1"),
        ("//", "/"),
    ],
)
def test_a_doubled_or_trailing_slash_moves_on_the_same_host_with_its_query(
    guest: Api, given: str, location: str
) -> None:
    reply = guest.send("GET", given)
    assert (reply.status, reply.headers["location"]) == (308, location)
    assert "x-evil" not in reply.headers


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", BASE),
        ("GET", f"{BASE}/nothing"),
        ("PATCH", f"{BASE}/customers/cust_123"),
        ("DELETE", f"{BASE}/payments/pay_123"),
        ("PUT", f"{BASE}/payments/intents"),
        ("HEAD", f"{BASE}/customers"),
    ],
)
def test_any_other_method_or_path_is_not_found(api: Api, method: str, path: str) -> None:
    reply = api.send(method, path, {"a": 1} if method != "HEAD" else None)
    assert (reply.status, reply.code) == (404, "not_found")
    assert reply.body.keys() == {"error", "code", "request_id"}


def test_a_creation_that_was_moved_is_not_made(api: Api) -> None:
    reply = api.post("/customers/", {"provider_id": "stripe"})
    assert reply.status == 308
    assert api.get("/customers").body == []
