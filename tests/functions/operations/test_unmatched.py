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


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v2"),
        ("GET", "/v2/nothing"),
        ("GET", "/v2/payment-methods"),
        ("GET", "/v2/oauth"),
        ("PUT", "/v2/customers"),
        ("HEAD", "/v2/customers"),
        ("DELETE", "/v2/merchants/customers/crm-1"),
        ("GET", "/v2/merchants/customers"),
    ],
)
def test_monris_d15_d16_there_is_no_405_and_nothing_of_its_other_calls(
    guest: Api, method: str, path: str
) -> None:
    reply = guest.send(method, path)
    line = "Resource not found"
    assert reply.status == 404
    assert reply.body == {"status": "invalid-request", "message": line, "errors": [line]}


@pytest.mark.parametrize(
    ("given", "location"),
    [
        ("/v2/customers/", "/v2/customers"),
        ("//v2//customers?limit=2&x=%2F/", "/v2/customers?limit=2&x=%2F/"),
        ("/v2/", "/v2"),
        ("/v2/merchants/customers/", "/v2/merchants/customers"),
        ("/v2//merchants/customers/a%20b/", "/v2/merchants/customers/a%20b"),
    ],
)
def test_monris_stray_slashes_move_in_its_words(guest: Api, given: str, location: str) -> None:
    reply = guest.send("POST", given, {"name": "Lejla"})
    assert (reply.status, reply.headers["location"]) == (308, location)
    assert reply.body.keys() == {"status", "message", "errors"}
    assert reply.body["status"] == "invalid-request"


@pytest.mark.parametrize("path", ["/v2x", "/v20/customers", "/v1/customers", "/V2/customers"])
def test_a_path_that_only_begins_like_a_neighbours_is_nobodys(guest: Api, path: str) -> None:
    reply = guest.send("GET", path)
    assert (reply.status, reply.code) == (404, "not_found")


def test_a_creation_that_was_moved_is_not_made(api: Api) -> None:
    reply = api.post("/customers/", {"provider_id": "stripe"})
    assert reply.status == 308
    assert api.get("/customers").body == []
