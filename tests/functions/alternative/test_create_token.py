"""POST /oauth/token. Source: docs/api/alternative.md, section 2."""

import re
from base64 import b64encode
from collections.abc import Callable

import pytest

from bridge import clock
from functions.alternative.create_token.handler import handler
from tests.conftest import Environment
from tests.functions.alternative.conftest import refusal
from tests.functions.conftest import Api, Reply
from tests.store.conftest import put_credential

CLIENT, SECRET = "client-1", "s3cr3t:with:colons"
FORM = b"grant_type=client_credentials"
ERROR = {"grant_type": ["must be client_credentials"]}


def basic(client_id: str = CLIENT, client_secret: str = SECRET) -> str:
    return "Basic " + b64encode(f"{client_id}:{client_secret}".encode()).decode()


@pytest.fixture
def client(environment: Environment, tables: None) -> Api:
    put_credential("oauth_client", CLIENT, SECRET)
    headers = {"authorization": basic(), "content-type": "application/x-www-form-urlencoded"}
    return Api(environment.gateway, headers)


def ask(client: Api, body: bytes = FORM) -> Reply:
    return client.send("POST", "/oauth/token", body)


def test_the_event_file_returns_200_with_a_token(
    demo_data: None, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "alternative/create_token")
    assert reply.status == 200
    assert reply.body.keys() == {"access_token", "expires_in", "token_type"}
    assert (reply.body["expires_in"], reply.body["token_type"]) == (3600, "bearer")
    assert re.fullmatch(r"[A-Za-z0-9._-]+", reply.body["access_token"])
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["content-type"] == "application/json"


def test_several_tokens_are_valid_at_once_each_for_an_hour(
    client: Api, environment: Environment
) -> None:
    first = ask(client).body["access_token"]
    clock.set_offset(1800)
    second = ask(client).body["access_token"]
    callers = [
        Api(environment.gateway, {"authorization": each}) for each in (first, f"Bearer {second}")
    ]
    assert [each.send("GET", "/customers").status for each in callers] == [200, 200]
    clock.set_offset(3601)
    replies = [each.send("GET", "/customers") for each in callers]
    assert [each.status for each in replies] == [401, 200]
    assert refusal(replies[0]) == (401, "unauthorized", {})


@pytest.mark.parametrize(
    "body",
    [
        *(FORM, b'"grant_type=client_credentials"', b"'grant_type=client_credentials'\n"),
        *(
            b'grant_type="client_credentials"',
            b"scope=customers%3Aread&grant_type=client_credentials",
        ),
        *(b"grant_type=client_credentials&scope=", b"grant%5Ftype=client%5fcredentials"),
        *(
            b'{"grant_type":"client_credentials"}',
            b' {"scope":[], "grant_type":"client_credentials"}',
        ),
    ],
)
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "application/json", ""])
def test_a3_forms_and_json_are_accepted_and_a_scope_is_ignored(
    body: bytes, kind: str, client: Api
) -> None:
    reply = ask(client.with_headers(content_type=kind), body)
    assert (reply.status, reply.body["token_type"]) == (200, "bearer")


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"grant_type=", b"grant_type=password", b"grant_type=client_credentials2"),
        *(b"scope=read", b"\xff\xfe", b"{}", b'{"grant_type":null}', b'{"grant_type":["x"]}'),
        b"grant_type=client_credentials&grant_type=password",
    ],
)
def test_another_grant_type_returns_400(body: bytes, client: Api) -> None:
    reply = ask(client, body)
    assert refusal(reply) == (400, "bad_request", ERROR)
    assert reply.body["message"] == "grant_type must be client_credentials"


def test_malformed_json_returns_400(client: Api) -> None:
    assert refusal(ask(client, b'{"grant_type":')) == (400, "bad_request", {})


@pytest.mark.parametrize("body", [FORM, b"grant_type=password", b""])
@pytest.mark.parametrize(
    "authorization",
    ["", "Basic", "Basic !", "Bearer x", CLIENT, basic("client-2"), basic(CLIENT, "s3cr3t")],
)
def test_wrong_credentials_return_403_before_the_body_is_checked(
    authorization: str, body: bytes, client: Api
) -> None:
    reply = ask(client.with_headers(authorization=authorization), body)
    assert refusal(reply) == (403, "invalid_credentials", {})
    assert reply.body["message"] == "Invalid credentials"


def test_a_missing_authorization_returns_403(client: Api, guest: Api) -> None:
    assert refusal(guest.send("POST", "/oauth/token", FORM))[:2] == (403, "invalid_credentials")


def test_a_body_over_256_kib_returns_413(client: Api) -> None:
    assert refusal(ask(client, b"x" * (256 * 1024 + 1)))[:2] == (413, "payload_too_large")


def test_a_revoked_client_and_its_tokens_stop_working(
    client: Api, environment: Environment
) -> None:
    caller = Api(environment.gateway, {"authorization": ask(client).body["access_token"]})
    assert caller.send("GET", "/customers").status == 200
    invoke = environment.gateway.functions.invoke
    (listed,) = invoke("OperationsListCredentials", {"organization_id": "org_1"})["credentials"]
    credential = {"organization_id": "org_1", "credential_id": listed["id"]}
    assert invoke("OperationsRevokeCredential", credential)["ok"]
    assert caller.send("GET", "/customers").status == 401
    assert ask(client).status == 403
