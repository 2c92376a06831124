"""Every route of Alternative Payments, called by everybody who may not use it.

Each call is refused and changes nothing. A record of another merchant is refused like an unknown
one. Routes come from template.yaml. Source: docs/api/alternative.md, sections 1 and 2.
"""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from bridge.authentication import merchants, oauth_clients
from local import demo
from local.event import Answer
from local.stripe.simulator import StripeSimulator
from tests.contracts.records import Scan
from tests.contracts.shape import ROUTES, Client, without_request_id
from tests.store.conftest import put_credential

OPEN = {"AlternativeCreateToken"}  # it checks a client's id and secret itself
KEYED = [each for each in ROUTES if each[0].startswith("Alternative") and each[0] not in OPEN]
ABOUT_ONE = [route for route in KEYED if "{id}" in route[2]]
OWN, UNKNOWN = f"cus_{demo.COMPANY}", "cus_01kghch8h0frsaj9kmjnbzfytz"
KEY, CLIENT, SECRET = "YOUR_API_KEY", "demo-client", "demo-secret"


def basic(client_id: str, client_secret: str) -> str:
    """The `Authorization` header of a client."""
    return "Basic " + b64encode(f"{client_id}:{client_secret}".encode()).decode()


@dataclass(frozen=True)
class Merchants:
    """Two merchants, each by key and by token."""

    owners: list[Client]
    others: list[Client]


def with_token(client: Client, client_id: str, client_secret: str) -> Client:
    """A client with an access token."""
    token = oauth_clients.issue_token(basic(client_id, client_secret)).token
    return client.acting(authorization=f"Bearer {token}")


@pytest.fixture
def known(client: Client, demo_data: StripeSimulator) -> Merchants:
    """The demo's merchant, which has a customer, and another one."""
    put_credential("oauth_client", "other-client", "other-secret", organization_id="org_789")
    put_credential("api_key", "other-key", organization_id="org_789")
    return Merchants(
        [client.acting(authorization=KEY), with_token(client, CLIENT, SECRET)],
        [
            client.acting(authorization="other-key"),
            with_token(client, "other-client", "other-secret"),
        ],
    )


@contextmanager
def unchanged(scan: Scan) -> Iterator[None]:
    """No item changes."""
    before = scan()
    yield
    assert scan() == before


def ask(client: Client, method: str, path: str, identifier: str) -> Answer:
    """Call a route for a customer."""
    body = {"email": "mallory@example.com"} if method == "POST" else None
    return client.ask(method, path.replace("{id}", identifier), body)


def test_invalid_credential_is_refused_with_the_same_body_and_changes_nothing(
    known: Merchants, client: Client, scan: Scan
) -> None:
    token = known.owners[1].headers["authorization"].removeprefix("Bearer ")
    monri_token = merchants.issue_token("demo-authenticity-token", "demo-merchant-key", []).token
    bad: list[dict[str, str]] = [
        {},
        {"X-Session-ID": "session_abc123"},
        *(
            {"Authorization": each}
            for each in (
                *("", "Bearer", f"Bearer {token}x", token[:-1], token.removeprefix("alt_")),
                *(
                    monri_token,
                    f"alt_{monri_token}",
                    f"alt_{monri_token.removeprefix('mo_')}",
                    f"{KEY}x",
                ),
                *("Bearer session_abc123", basic(CLIENT, SECRET), basic(KEY, ""), CLIENT, SECRET),
                *(f"{token} {token}", "demo-authenticity-token", "WP3-v2.1 a 1 b"),
            )
        ),
    ]
    refusals = set()
    with unchanged(scan):
        for headers in bad:
            for _, method, path in KEYED:
                answer = ask(Client(client.gateway, headers), method, path, OWN)
                refusals.add((answer.status, answer.body))
    line = (
        b'{"code":"unauthorized","message":"Missing or invalid access token",'
        b'"validation_errors":{},"errors":[]}'
    )
    assert refusals == {(401, line)}


def test_records_of_another_merchant_are_refused_like_unknown_records(
    known: Merchants, scan: Scan
) -> None:
    with unchanged(scan):
        for other in known.others:
            for _, method, path in ABOUT_ONE:
                of_another = ask(other, method, path, OWN)
                unknown = ask(other, method, path, UNKNOWN)
                assert of_another.status == 404, path
                assert without_request_id(of_another) == without_request_id(unknown), path
            assert other.ask("GET", "/customers").json()["data"] == []
    for owner in known.owners:
        for _, method, path in ABOUT_ONE:
            if method != "DELETE":
                assert ask(owner, method, path, OWN).status in (200, 201), path


def test_members_own_customers_are_not_visible_to_the_merchant(
    known: Merchants, scan: Scan
) -> None:
    """cust_123 and cust_456 belong to user_456, a member of the merchant's organization."""
    with unchanged(scan):
        for owner in known.owners:
            for _, method, path in ABOUT_ONE:
                for identifier in ("cust_123", "cus_123", "cus_456", "pay_123"):
                    assert ask(owner, method, path, identifier).status == 404, path


@pytest.mark.parametrize(("number", "credential"), [(0, "static_key"), (1, "client")])
def test_revoked_key_or_client_is_refused_at_once(
    number: int, credential: str, known: Merchants, client: Client, scan: Scan
) -> None:
    whose = {"organization_id": "org_456", "credential_id": f"cred_demo_{credential}"}
    assert client.gateway.functions.invoke("OperationsRevokeCredential", whose)["ok"]
    with unchanged(scan):
        for _, method, path in KEYED:
            assert ask(known.owners[number], method, path, OWN).status == 401, path
    assert known.owners[1 - number].ask("GET", "/customers").status == 200


def test_keys_and_tokens_give_no_access_to_the_native_api(known: Merchants, scan: Scan) -> None:
    with unchanged(scan):
        for owner in known.owners:
            for _, method, path in [route for route in ROUTES if route[0].startswith("Native")]:
                if path != "/bridge-payment/payments/guest/{email}":
                    answer = owner.ask(method, path.replace("{id}", "cust_123"), {})
                    assert answer.status == 401, path
