"""POST /v2/oauth. Source: docs/api/monri.md, section 3."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from functions.monri.create_token.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import Reply
from tests.functions.monri.conftest import Merchant, send

GRANT = {"grant_type": "client_credentials"}


def ask(merchant: Merchant, **more: object) -> Reply:
    """Ask for a token, with an empty Authorization header. A field that is `...` is left out."""
    known = {"client_id": merchant.name, "client_secret": merchant.key}
    body = {name: each for name, each in (known | GRANT | more).items() if each is not ...}
    return replace(merchant, token="none").ask("POST", "/v2/oauth", body, {"Authorization": ""})


def with_token(merchant: Merchant, **more: object) -> Merchant:
    reply = ask(merchant, **more)
    assert reply.status == 200, reply.text
    return replace(merchant, token=reply.body["access_token"])


def test_create_token_event_file_returns_a_token(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "monri/create_token")
    assert reply.status == 200
    assert reply.body.keys() == {"access_token", "token_type", "expires_in", "status"}


def test_token_is_valid_for_900_seconds_and_opens_what_a_digest_opens(
    merchant: Merchant, later: Callable[[float], None]
) -> None:
    body = ask(merchant).body
    assert {"token_type": "Bearer", "expires_in": 900, "status": "approved"}.items() <= body.items()
    assert not set(" ,") & set(body["access_token"])
    made = merchant.made(name="Lejla")
    bearer = with_token(merchant)
    assert bearer.get(made["uuid"]).body == made
    later(890)
    assert bearer.get(made["uuid"]).status == 200
    later(20)
    assert bearer.get(made["uuid"]).status == 401


@pytest.mark.parametrize("scopes", [[], None, ..., ["customers"], ["payments", "customers"]])
def test_m5_no_scopes_grant_all_scopes(merchant: Merchant, scopes: Any) -> None:
    bearer = with_token(merchant, scopes=scopes)
    assert bearer.ask("GET", "/v2/customers").status == 200


@pytest.mark.parametrize("scopes", [["payment-methods"], ["payments"], ["nonsense"], ["Customers"]])
def test_missing_scope_returns_403_with_its_name(merchant: Merchant, scopes: list[str]) -> None:
    reply = with_token(merchant, scopes=scopes).ask("POST", "/v2/customers", b"{")
    assert (reply.status, reply.body["message"]) == (403, "Scope customers is required")


@pytest.mark.parametrize(
    "more",
    [
        {"client_secret": "wrong"},
        {"client_id": "nobody"},
        {"client_id": ""},
        {"client_secret": ""},
        {"client_id": "č", "client_secret": "č"},
    ],
)
def test_wrong_pair_returns_401(merchant: Merchant, more: dict[str, object]) -> None:
    reply = ask(merchant, **more)
    assert (reply.status, reply.body["errors"]) == (401, ["Invalid client credentials"])


@pytest.mark.parametrize(
    ("more", "errors"),
    [
        ({"grant_type": "password"}, ["grant_type must be client_credentials"]),
        ({"grant_type": ...}, ["grant_type must be client_credentials"]),
        ({"grant_type": None}, ["grant_type must be client_credentials"]),
        ({"grant_type": 7}, ["grant_type must be client_credentials"]),
        ({"client_id": ...}, ["client_id is required"]),
        ({"client_secret": None}, ["client_secret is required"]),
        ({"client_id": 7}, ["client_id must be a string"]),
        ({"client_secret": ["x"]}, ["client_secret must be a string"]),
        ({"scopes": "customers"}, ["scopes must be an array of strings"]),
        ({"scopes": [1]}, ["scopes must be an array of strings"]),
        ({"scopes": [None]}, ["scopes must be an array of strings"]),
        ({"scopes": {}}, ["scopes must be an array of strings"]),
        (
            {"grant_type": "x", "client_id": ...},
            ["client_id is required", "grant_type must be client_credentials"],
        ),
    ],
)
def test_invalid_fields_return_400_with_their_names(
    merchant: Merchant, more: dict[str, object], errors: list[str]
) -> None:
    reply = ask(merchant, **more)
    assert (reply.status, reply.body["errors"]) == (400, errors)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"grant_type=client_credentials"])
def test_body_that_is_not_a_json_object_is_refused(merchant: Merchant, body: bytes) -> None:
    reply = send(merchant.gateway, "POST", "/v2/oauth", body, {})
    assert (reply.status, reply.body["message"]) == (400, "Request body must be a JSON object")


def test_body_over_256_kib_returns_413(merchant: Merchant) -> None:
    reply = send(merchant.gateway, "POST", "/v2/oauth", b" " * (256 * 1024 + 1), {})
    assert (reply.status, reply.body["message"]) == (413, "Request is too large")


def test_token_opens_only_its_merchants_customers(
    merchant: Merchant, enrolled: Callable[..., Merchant]
) -> None:
    made = merchant.made()
    assert with_token(enrolled("org_2")).get(made["uuid"]).status == 404
