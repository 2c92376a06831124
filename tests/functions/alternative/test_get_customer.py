"""GET /customers/{id}, and the credentials of all endpoints.

Source: docs/api/alternative.md, sections 1, 2 and 6.
"""

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest

from functions.alternative.get_customer.handler import handler
from tests.functions.alternative.conftest import create, refusal
from tests.functions.conftest import Api, Reply

KEY = "key-of-org-1"
NOT_THERE = {
    "code": "not_found",
    "message": "Customer not found",
    "validation_errors": {},
    "errors": [],
}
Company = dict[str, Any]


def test_the_event_file_returns_200_with_the_demo_customer(
    demo_data: None, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "alternative/get_customer")
    assert reply.status == 200
    assert reply.body == {
        "id": "cus_01kghch8h0frsaj9kmjnbzfytr",
        "name": "Harbor Dental LLC",
        "email": "ap@harbor.example",
        "external_id": "erp-77",
        "default_payment_method_id": None,
        "created_at": "2026-02-03T09:15:00Z",
    }


@pytest.mark.parametrize(
    "authorization",
    [KEY, f"Bearer {KEY}", f"bEARER   {KEY} ", f" {KEY} "],
)
def test_a2_a_static_key_is_accepted_alone_or_as_bearer(
    authorization: str, merchant: Api, company: Company
) -> None:
    reply = merchant.with_headers(authorization=authorization).send(
        "GET", f"/customers/{company['id']}"
    )
    assert (reply.status, reply.body) == (200, company)


@pytest.mark.parametrize(
    "authorization",
    [
        *("", "Bearer", "Bearer ", "nobody", f"Token {KEY}", f"Bearer Bearer {KEY}", f"{KEY}x"),
        *(f"Basic {b64encode(f'{KEY}:'.encode()).decode()}", "alt_", "alt_k1.x.y", "é" * 600),
        *(f"ApiKey {KEY}", "session_abc123", f"{KEY}, {KEY}"),
    ],
)
def test_any_other_credential_returns_401_before_the_request_is_checked(
    authorization: str, merchant: Api, company: Company
) -> None:
    caller = merchant.with_headers(authorization=authorization)
    for target in (f"/customers/{company['id']}", "/customers/x", "/customers?limit=x"):
        reply = caller.send("GET", target)
        assert refusal(reply) == (401, "unauthorized", {})
        assert reply.body["message"] == "Missing or invalid access token"


def test_a_key_in_the_query_or_in_another_header_returns_401(
    guest: Api, merchant: Api, company: Company
) -> None:
    target = f"/customers/{company['id']}"
    for name in ("access_token", "Authorization", "session_id", "api_key"):
        assert guest.send("GET", f"{target}?{name}={KEY}").status == 401
    for header in ("x_session_id", "x_guest_token", "reb_apikey", "x_api_key"):
        assert guest.with_headers(**{header: KEY}).send("GET", target).status == 401


def test_an_unknown_malformed_or_anothers_id_returns_404(
    merchant: Api, rival: Api, company: Company
) -> None:
    suffix = company["id"].removeprefix("cus_")
    for caller, given in [
        (rival, company["id"]),
        (merchant, "cus_01kghch8h0frsaj9kmjnbzfytr"),
        *((merchant, prefix + suffix) for prefix in ("", "cust_", "CUS_", "pm_", "cus_cus_", "_")),
        (merchant, f"cus_{suffix.upper()}"),
        (merchant, f"cus_{suffix}x"),
        (merchant, f"cus_{suffix[:-1]}"),
        (merchant, "cus_" + "é" * 26),
        (merchant, f"cus_{suffix}%0A"),
        (merchant, "%00"),
    ]:
        reply = caller.send("GET", "/customers/" + given.replace("é", "%C3%A9"))
        assert (reply.status, reply.body) == (404, NOT_THERE), given


def test_a10_an_archived_customer_is_returned_unchanged(merchant: Api, company: Company) -> None:
    merchant.send("DELETE", f"/customers/{company['id']}")
    assert merchant.send("GET", f"/customers/{company['id']}").body == company


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("PUT", "/customers/{id}"), ("PATCH", "/customers/{id}"), ("POST", "/customers/{id}")),
        *(("HEAD", "/customers/{id}"), ("DELETE", "/customers"), ("GET", "/oauth/token")),
        *(("GET", "/oauth"), ("GET", "/customers/{id}/nothing"), ("GET", "/customers/a%2Fb/c")),
        *(("GET", "/customers/{id}/users/usr_1"), ("FETCH", "/customers")),
    ],
)
def test_a13_an_unknown_method_or_path_returns_404(
    method: str, path: str, merchant: Api, company: Company
) -> None:
    reply = merchant.send(method, path.format(id=company["id"]))
    assert refusal(reply) == (404, "not_found", {})
    assert reply.body["message"] == "Resource not found"


@pytest.mark.parametrize(
    ("given", "clean"),
    [
        ("/customers/", "/customers"),
        ("//customers?limit=1&x=%2F/", "/customers?limit=1&x=%2F/"),
        ("/customers//cus_1/", "/customers/cus_1"),
        ("/customers/cus_1//users", "/customers/cus_1/users"),
        ("/oauth/token/", "/oauth/token"),
    ],
)
def test_a_path_with_an_extra_slash_returns_308_to_the_clean_path(
    given: str, clean: str, merchant: Api
) -> None:
    reply = merchant.send("GET", given)
    assert refusal(reply) == (308, "moved", {})
    assert reply.headers["location"] == clean


def test_a5_there_is_no_rate_limit(merchant: Api, company: Company) -> None:
    replies = [merchant.send("GET", f"/customers/{company['id']}") for _ in range(30)]
    assert {each.status for each in replies} == {200}


def test_a15_a_credential_can_read_and_write(merchant: Api) -> None:
    made = create(merchant)
    assert merchant.send("GET", f"/customers/{made['id']}").status == 200
    assert merchant.send("DELETE", f"/customers/{made['id']}").status == 200
