"""Every route of Alternative Payments against everybody who may not: refused, nothing changed, and
what is another merchant's looks like what is not there.

Generated from template.yaml. Source: contracts/alternative.md 1 and 2.
"""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from bridge.authentication import merchants, oauth_clients
from local import demo
from local.event import Answer
from local.flowless import Flowless
from local.stripe.simulator import StripeSimulator
from tests.contracts.records import Scan
from tests.contracts.shape import ROUTES, Client, without_request_id
from tests.store.conftest import put_credential

OPEN = {"AlternativeCreateToken"}  # it asks for a client's pair itself
KEYED = [each for each in ROUTES if each[0].startswith("Alternative") and each[0] not in OPEN]
ABOUT_ONE = [route for route in KEYED if "{id}" in route[2]]
OWN, UNKNOWN = f"cus_{demo.COMPANY}", "cus_01kghch8h0frsaj9kmjnbzfytz"
KEY, CLIENT, SECRET = "YOUR_API_KEY", "demo-client", "demo-secret"


def basic(client_id: str, client_secret: str) -> str:
    return "Basic " + b64encode(f"{client_id}:{client_secret}".encode()).decode()


@dataclass(frozen=True)
class Merchants:
    owners: list[Client]
    others: list[Client]


def bearing(client: Client, client_id: str, client_secret: str) -> Client:
    token = oauth_clients.issue_token(basic(client_id, client_secret)).token
    return client.acting(authorization=f"Bearer {token}")


@pytest.fixture
def known(client: Client, stripe_simulator: StripeSimulator, flowless: Flowless) -> Merchants:
    """The demo's merchant, who has a customer, and another one: by key and by token."""
    demo.seed(stripe_simulator, flowless)
    put_credential("oauth_client", "other-client", "other-secret", organization_id="org_789")
    put_credential("api_key", "other-key", organization_id="org_789")
    return Merchants(
        [client.acting(authorization=KEY), bearing(client, CLIENT, SECRET)],
        [client.acting(authorization="other-key"), bearing(client, "other-client", "other-secret")],
    )


@contextmanager
def unchanged(scan: Scan) -> Iterator[None]:
    before = scan()
    yield
    assert scan() == before


def ask(client: Client, method: str, path: str, identifier: str) -> Answer:
    body = {"email": "mallory@example.com"} if method == "POST" else None
    return client.ask(method, path.replace("{id}", identifier), body)


def test_whoever_has_no_key_is_refused_in_the_same_words_and_changes_nothing(
    known: Merchants, client: Client, scan: Scan
) -> None:
    token = known.owners[1].headers["authorization"].removeprefix("Bearer ")
    alien = merchants.issue_token("demo-authenticity-token", "demo-merchant-key", []).token
    bad: list[dict[str, str]] = [
        {},
        {"X-Session-ID": "session_abc123"},
        *(
            {"Authorization": each}
            for each in (
                *("", "Bearer", f"Bearer {token}x", token[:-1], token.removeprefix("alt_")),
                *(alien, f"alt_{alien}", f"alt_{alien.removeprefix('mo_')}", f"{KEY}x"),
                *("Bearer session_abc123", basic(CLIENT, SECRET), basic(KEY, ""), CLIENT, SECRET),
                *(f"{token} {token}", "demo-authenticity-token", "WP3-v2.1 a 1 b"),
            )
        ),
    ]
    told = set()
    with unchanged(scan):
        for headers in bad:
            for _, method, path in KEYED:
                answer = ask(Client(client.gateway, headers), method, path, OWN)
                told.add((answer.status, answer.body))
    line = (
        b'{"code":"unauthorized","message":"Missing or invalid access token",'
        b'"validation_errors":{},"errors":[]}'
    )
    assert told == {(401, line)}


def test_what_is_another_merchants_looks_like_what_is_not_there(
    known: Merchants, scan: Scan
) -> None:
    with unchanged(scan):
        for other in known.others:
            for _, method, path in ABOUT_ONE:
                theirs = ask(other, method, path, OWN)
                nobodys = ask(other, method, path, UNKNOWN)
                assert theirs.status == 404, path
                assert without_request_id(theirs) == without_request_id(nobodys), path
            assert other.ask("GET", "/customers").json()["data"] == []
    for owner in known.owners:
        for _, method, path in ABOUT_ONE:
            if method != "DELETE":
                assert ask(owner, method, path, OWN).status in (200, 201), path


def test_a_members_own_customers_are_not_the_merchants(known: Merchants, scan: Scan) -> None:
    """cust_123 and cust_456 are user_456's own, who is a member of the merchant's organization."""
    with unchanged(scan):
        for owner in known.owners:
            for _, method, path in ABOUT_ONE:
                for identifier in ("cust_123", "cus_123", "cus_456", "pay_123"):
                    assert ask(owner, method, path, identifier).status == 404, path


@pytest.mark.parametrize(("number", "credential"), [(0, "static_key"), (1, "client")])
def test_a_revoked_key_or_client_is_shut_out_at_once(
    number: int, credential: str, known: Merchants, client: Client, scan: Scan
) -> None:
    whose = {"organization_id": "org_456", "credential_id": f"cred_demo_{credential}"}
    assert client.gateway.functions.invoke("OperationsRevokeCredential", whose)["ok"]
    with unchanged(scan):
        for _, method, path in KEYED:
            assert ask(known.owners[number], method, path, OWN).status == 401, path
    assert known.owners[1 - number].ask("GET", "/customers").status == 200


def test_keys_and_tokens_open_nothing_of_the_native_api(known: Merchants, scan: Scan) -> None:
    with unchanged(scan):
        for owner in known.owners:
            for _, method, path in [route for route in ROUTES if route[0].startswith("Native")]:
                if path != "/bridge-payment/payments/guest/{email}":
                    answer = owner.ask(method, path.replace("{id}", "cust_123"), {})
                    assert answer.status == 401, path
