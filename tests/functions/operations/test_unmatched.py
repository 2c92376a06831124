"""The $default route. Source: docs/api/native.md, section 1; docs/api/monri.md, section 6."""

from collections.abc import Callable

import pytest

from functions.operations.unmatched.handler import handler
from tests.functions.conftest import BASE, Api, Reply


def test_event_file_returns_308_to_the_clean_path(guest: Api, invoke: Callable[..., Reply]) -> None:
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
def test_stray_slashes_return_308_on_the_same_host_with_the_query(
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
def test_other_method_or_path_returns_404(api: Api, method: str, path: str) -> None:
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
def test_m15_m16_monri_returns_404_for_other_methods_and_calls(
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
def test_monri_stray_slashes_return_308_in_its_own_form(
    guest: Api, given: str, location: str
) -> None:
    reply = guest.send("POST", given, {"name": "Lejla"})
    assert (reply.status, reply.headers["location"]) == (308, location)
    assert reply.body.keys() == {"status", "message", "errors"}
    assert reply.body["status"] == "invalid-request"


@pytest.mark.parametrize("path", ["/v2x", "/v20/customers", "/v1/customers", "/V2/customers"])
def test_path_similar_to_another_api_returns_404(guest: Api, path: str) -> None:
    reply = guest.send("GET", path)
    assert (reply.status, reply.code) == (404, "not_found")


def test_creation_at_a_path_with_stray_slash_creates_nothing(api: Api) -> None:
    reply = api.post("/customers/", {"provider_id": "stripe"})
    assert reply.status == 308
    assert api.get("/customers").body == []
