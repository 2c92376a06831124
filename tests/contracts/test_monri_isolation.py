"""Every route of Monri, called by everybody who may not use it.

Each call is refused and changes nothing. A record of another merchant is refused like an unknown
one. Routes come from template.yaml. Source: docs/api/monri.md, sections 1, 2.4 and 3.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from bridge import clock
from bridge.authentication import merchants, oauth_clients
from local.event import Answer
from local.stripe.simulator import StripeSimulator
from tests.contracts.records import Scan
from tests.contracts.shape import ROUTES, Client, without_request_id
from tests.store.conftest import put_credential

OPEN = {"MonriCreateToken"}  # it checks a merchant's key itself
MONRI = [each for each in ROUTES if each[0].startswith("Monri") and each[0] not in OPEN]
ABOUT_ONE = [route for route in MONRI if "{" in route[2]]
UUID = "019b76da-a800-7b7a-8c21-5e0f7ad94b10"
UNKNOWN = "019b76da-a800-7b7a-8c21-000000000000"
NAME, KEY = "demo-authenticity-token", "demo-merchant-key"


@dataclass(frozen=True)
class Merchants:
    """Three clients with tokens; `methods_only` has another scope than `owner`."""

    owner: Client
    other: Client
    methods_only: Client


def with_token(client: Client, name: str, key: str, *scopes: str) -> Client:
    """A client with an access token."""
    token = merchants.issue_token(name, key, scopes).token
    return client.acting(authorization=f"Bearer {token}")


@pytest.fixture
def known(client: Client, demo_data: StripeSimulator) -> Merchants:
    """The demo's merchant, which has a customer; another one; and one with another scope."""
    put_credential("merchant", "other-1", "key-1", organization_id="org_789")
    return Merchants(
        with_token(client, NAME, KEY),
        with_token(client, "other-1", "key-1"),
        with_token(client, NAME, KEY, "payment-methods"),
    )


@contextmanager
def unchanged(scan: Scan) -> Iterator[None]:
    """No item changes."""
    before = scan()
    yield
    assert scan() == before


def ask(client: Client, method: str, path: str, uuid: str, external_id: str) -> Answer:
    """Call a route for a customer."""
    target = path.replace("{uuid}", uuid).replace("{merchant_customer_id+}", external_id)
    return client.ask(method, target, {"name": "Mallory"} if method == "POST" else None)


def signed(name: str, key: str, fullpath: str, at: int) -> dict[str, str]:
    """The `Authorization` header of a signed GET."""
    digest = merchants.digest_of(key, str(at), name, fullpath, b"")
    return {"Authorization": f"WP3-v2.1 {name} {at} {digest}"}


def test_invalid_credential_is_refused_with_the_same_body_and_changes_nothing(
    known: Merchants, client: Client, scan: Scan
) -> None:
    now, token = clock.seconds(), known.owner.headers["authorization"].split("_", 1)[1]
    other_token = oauth_clients.issue_token("Basic ZGVtby1jbGllbnQ6ZGVtby1zZWNyZXQ=").token
    bad: list[dict[str, str]] = [
        {},
        {"Authorization": ""},
        {"Authorization": f"Bearer {token}"},
        {"Authorization": f"Bearer mo_{token}x"},
        {"Authorization": f"Bearer mo_{token} x"},
        {"Authorization": f"Bearer {other_token}"},
        {"Authorization": f"Bearer mo_{other_token}"},
        {"Authorization": "Bearer session_abc123"},
        {"Authorization": "YOUR_API_KEY"},
        {"Authorization": "ApiKey acct_demo_key_demo"},
        {"X-Session-ID": "session_abc123"},
        signed(NAME, "another-key", "/v2/customers", now),
        signed("other-1", KEY, "/v2/customers", now),
        signed(NAME, KEY, "/v2/elsewhere", now),
        signed(NAME, KEY, "/v2/customers", now - 1000),
    ]
    refusals = set()
    with unchanged(scan):
        for headers in bad:
            caller = Client(client.gateway, headers)
            for _, method, path in MONRI:
                answer = ask(caller, method, path, UUID, "crm-1001")
                refusals.add((answer.status, answer.body))
    line = b'{"status":"error","message":"Authorization failed","errors":["Authorization failed"]}'
    assert refusals == {(401, line)}


def test_token_without_the_scope_returns_403_with_its_name_and_changes_nothing(
    known: Merchants, scan: Scan
) -> None:
    with unchanged(scan):
        for function, method, path in MONRI:
            answer = ask(known.methods_only, method, path, UUID, "crm-1001")
            if function == "MonriListPaymentMethods":  # one of two scopes is enough
                assert answer.status == 200
                continue
            refusal = (answer.status, answer.json()["message"])
            assert refusal == (403, "Scope customers is required"), path


def test_records_of_another_merchant_are_refused_like_unknown_records(
    known: Merchants, scan: Scan
) -> None:
    with unchanged(scan):
        for _, method, path in ABOUT_ONE:
            of_another = ask(known.other, method, path, UUID, "crm-1001")
            unknown = ask(known.other, method, path, UNKNOWN, "crm-nobody")
            assert of_another.status == 404, path
            assert without_request_id(of_another) == without_request_id(unknown), path
            native = ask(known.other, method, path, "cust_123", "cust_123")
            assert without_request_id(native) == without_request_id(unknown), path
    for _, method, path in ABOUT_ONE:
        if method != "DELETE":
            assert ask(known.owner, method, path, UUID, "crm-1001").status == 200, path


def test_revoked_merchant_is_refused_at_once_by_digest_and_by_token(
    known: Merchants, client: Client, scan: Scan
) -> None:
    whose = {"organization_id": "org_456", "credential_id": "cred_demo_merchant"}
    client.gateway.functions.invoke("OperationsRevokeCredential", whose)
    by_digest = Client(client.gateway, signed(NAME, KEY, "/v2/customers", clock.seconds()))
    with unchanged(scan):
        assert by_digest.ask("GET", "/v2/customers").status == 401
        for _, method, path in MONRI:
            assert ask(known.owner, method, path, UUID, "crm-1001").status == 401, path


def test_merchant_credentials_give_no_access_to_the_native_api(
    known: Merchants, client: Client, scan: Scan
) -> None:
    by_digest = Client(client.gateway, signed(NAME, KEY, "/bridge-payment/customers", 1))
    with unchanged(scan):
        for merchant in (known.owner, by_digest):
            for _, method, path in [route for route in ROUTES if route[0].startswith("Native")]:
                if path != "/bridge-payment/payments/guest/{email}":
                    answer = merchant.ask(method, path.replace("{id}", "cust_123"), {})
                    assert answer.status == 401, path
