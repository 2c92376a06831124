"""Every route of Monri's against everybody who may not: refused, nothing changed, and what is
another merchant's looks like what is not there.

Generated from template.yaml. Source: contracts/monri.md 1, 2.4 and 3.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from bridge import clock
from bridge.authentication import merchants, oauth_clients
from local import demo
from local.event import Answer
from local.flowless import Flowless
from local.stripe.simulator import StripeSimulator
from tests.contracts.records import Scan
from tests.contracts.shape import ROUTES, Client, without_request_id
from tests.store.conftest import put_credential

OPEN = {"MonriCreateToken"}  # it asks for a key itself
MONRI = [each for each in ROUTES if each[0].startswith("Monri") and each[0] not in OPEN]
ABOUT_ONE = [route for route in MONRI if "{" in route[2]]
UUID = "019b76da-a800-7b7a-8c21-5e0f7ad94b10"
UNKNOWN = "019b76da-a800-7b7a-8c21-000000000000"
NAME, KEY = "demo-authenticity-token", "demo-merchant-key"


@dataclass(frozen=True)
class Merchants:
    owner: Client
    other: Client
    methods_only: Client


def bearing(client: Client, name: str, key: str, *scopes: str) -> Client:
    token = merchants.issue_token(name, key, scopes).token
    return client.acting(authorization=f"Bearer {token}")


@pytest.fixture
def known(client: Client, stripe_simulator: StripeSimulator, flowless: Flowless) -> Merchants:
    """The demo's merchant, who has a customer; another one; and one with another scope."""
    demo.seed(stripe_simulator, flowless)
    put_credential("merchant", "other-1", "key-1", organization_id="org_789")
    return Merchants(
        bearing(client, NAME, KEY),
        bearing(client, "other-1", "key-1"),
        bearing(client, NAME, KEY, "payment-methods"),
    )


@contextmanager
def unchanged(scan: Scan) -> Iterator[None]:
    before = scan()
    yield
    assert scan() == before


def ask(client: Client, method: str, path: str, uuid: str, external_id: str) -> Answer:
    target = path.replace("{uuid}", uuid).replace("{merchant_customer_id+}", external_id)
    return client.ask(method, target, {"name": "Mallory"} if method == "POST" else None)


def signed(name: str, key: str, fullpath: str, at: int) -> dict[str, str]:
    digest = merchants.digest_of(key, str(at), name, fullpath, b"")
    return {"Authorization": f"WP3-v2.1 {name} {at} {digest}"}


def test_whoever_is_no_merchant_is_refused_in_the_same_words_and_changes_nothing(
    known: Merchants, client: Client, scan: Scan
) -> None:
    now, token = clock.seconds(), known.owner.headers["authorization"].split("_", 1)[1]
    alien = oauth_clients.issue_token("Basic ZGVtby1jbGllbnQ6ZGVtby1zZWNyZXQ=").token
    bad: list[dict[str, str]] = [
        {},
        {"Authorization": ""},
        {"Authorization": f"Bearer {token}"},
        {"Authorization": f"Bearer mo_{token}x"},
        {"Authorization": f"Bearer mo_{token} x"},
        {"Authorization": f"Bearer {alien}"},
        {"Authorization": f"Bearer mo_{alien}"},
        {"Authorization": "Bearer session_abc123"},
        {"Authorization": "YOUR_API_KEY"},
        {"Authorization": "ApiKey acct_demo_key_demo"},
        {"X-Session-ID": "session_abc123"},
        signed(NAME, "another-key", "/v2/customers", now),
        signed("other-1", KEY, "/v2/customers", now),
        signed(NAME, KEY, "/v2/elsewhere", now),
        signed(NAME, KEY, "/v2/customers", now - 1000),
    ]
    told = set()
    with unchanged(scan):
        for headers in bad:
            nobody = Client(client.gateway, headers)
            for _, method, path in MONRI:
                answer = ask(nobody, method, path, UUID, "crm-1001")
                told.add((answer.status, answer.body))
    line = b'{"status":"error","message":"Authorization failed","errors":["Authorization failed"]}'
    assert told == {(401, line)}


def test_a_token_without_the_scope_is_told_which_and_changes_nothing(
    known: Merchants, scan: Scan
) -> None:
    with unchanged(scan):
        for function, method, path in MONRI:
            answer = ask(known.methods_only, method, path, UUID, "crm-1001")
            if function == "MonriListPaymentMethods":  # either scope will do
                assert answer.status == 200
                continue
            told = (answer.status, answer.json()["message"])
            assert told == (403, "Scope customers is required"), path


def test_what_is_another_merchants_looks_like_what_is_not_there(
    known: Merchants, scan: Scan
) -> None:
    with unchanged(scan):
        for _, method, path in ABOUT_ONE:
            theirs = ask(known.other, method, path, UUID, "crm-1001")
            nobodys = ask(known.other, method, path, UNKNOWN, "crm-nobody")
            assert theirs.status == 404, path
            assert without_request_id(theirs) == without_request_id(nobodys), path
            native = ask(known.other, method, path, "cust_123", "cust_123")
            assert without_request_id(native) == without_request_id(nobodys), path
    for _, method, path in ABOUT_ONE:
        if method != "DELETE":
            assert ask(known.owner, method, path, UUID, "crm-1001").status == 200, path


def test_a_revoked_merchant_is_shut_out_at_once_by_digest_and_by_token(
    known: Merchants, client: Client, scan: Scan
) -> None:
    whose = {"organization_id": "org_456", "credential_id": "cred_demo_merchant"}
    client.gateway.functions.invoke("OperationsRevokeCredential", whose)
    by_digest = Client(client.gateway, signed(NAME, KEY, "/v2/customers", clock.seconds()))
    with unchanged(scan):
        assert by_digest.ask("GET", "/v2/customers").status == 401
        for _, method, path in MONRI:
            assert ask(known.owner, method, path, UUID, "crm-1001").status == 401, path


def test_a_merchants_credentials_open_nothing_of_the_native_api(
    known: Merchants, client: Client, scan: Scan
) -> None:
    by_digest = Client(client.gateway, signed(NAME, KEY, "/bridge-payment/customers", 1))
    with unchanged(scan):
        for merchant in (known.owner, by_digest):
            for _, method, path in [route for route in ROUTES if route[0].startswith("Native")]:
                if path != "/bridge-payment/payments/guest/{email}":
                    answer = merchant.ask(method, path.replace("{id}", "cust_123"), {})
                    assert answer.status == 401, path
