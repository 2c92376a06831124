"""operations/create_credential: creates a credential and returns its secret, only once."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from bridge import clock, config
from bridge.authentication import api_keys, merchants, oauth_clients
from bridge.models.caller import Caller
from functions.operations.create_credential.handler import handler
from local import database

pytestmark = pytest.mark.usefixtures("tables")
Operate = Callable[..., dict[str, Any]]
NAME = "operations/create_credential"


def by_key(to_send: dict[str, str]) -> Caller:
    return api_keys.authenticate(to_send["api_key"])


def by_digest(to_send: dict[str, str]) -> Caller:
    token, now = to_send["authenticity_token"], str(clock.seconds())
    digest = merchants.digest_of(to_send["merchant_key"], now, token, "/v2/customers", b"")
    return merchants.authenticate(f"WP3-v2.1 {token} {now} {digest}", "/v2/customers", "", b"")


def by_monri_token(to_send: dict[str, str]) -> Caller:
    made = merchants.issue_token(to_send["authenticity_token"], to_send["merchant_key"], [])
    return merchants.authenticate(f"Bearer {made.token}", "/v2/customers", "", b"")


def by_client(to_send: dict[str, str]) -> Caller:
    pair = base64.b64encode(f"{to_send['client_id']}:{to_send['client_secret']}".encode()).decode()
    return oauth_clients.authenticate(oauth_clients.issue_token(f"Basic {pair}").token)


KINDS = [
    ("api_key", by_key),
    ("merchant", by_digest),
    ("merchant", by_monri_token),
    ("oauth_client", by_client),
]


def test_event_file_creates_a_merchant(operate: Operate) -> None:
    result = operate(handler, NAME)
    assert result["ok"] is True
    assert set(result["to_send"]) == {"authenticity_token", "merchant_key"}
    assert by_digest(result["to_send"]).key_of == "org_456"
    made = result["credential"]
    assert made["id"].startswith("cred_")
    assert made["ends_with"] == result["to_send"]["authenticity_token"][-4:]
    assert (made["kind"], made["organization_id"]) == ("merchant", "org_456")
    assert made["revoked_at"] is None


@pytest.mark.parametrize(("kind", "authenticate"), KINDS)
def test_new_credential_authenticates_its_organization(
    operate: Operate, kind: str, authenticate: Callable[[dict[str, str]], Caller]
) -> None:
    to_send = operate(handler, NAME, kind=kind, organization_id="org_1")["to_send"]
    assert authenticate(to_send).key_of == "org_1"
    assert all(
        text.isascii() and text.isprintable() and " " not in text for text in to_send.values()
    )


@pytest.mark.parametrize("kind", ["api_key", "merchant", "oauth_client"])
def test_two_credentials_of_a_kind_differ_and_both_work(operate: Operate, kind: str) -> None:
    first, second = (operate(handler, NAME, kind=kind)["to_send"] for _ in range(2))
    assert set(first.values()).isdisjoint(second.values())
    for made, authenticate in KINDS:
        if made == kind:
            assert authenticate(first).key_of == authenticate(second).key_of == "org_456"


@pytest.mark.parametrize("kind", ["api_key", "merchant", "oauth_client"])
def test_only_a_merchant_key_is_stored_in_clear_text(operate: Operate, kind: str) -> None:
    to_send = operate(handler, NAME, kind=kind)["to_send"]
    stored = {
        table: str(database.client().scan(TableName=config.table_name(table))["Items"])
        for table in ("ledger", "secrets", "ephemeral")
    }
    for word, text in to_send.items():
        found = [table for table, items in stored.items() if text in items]
        assert found == (["secrets"] if word == "merchant_key" else [])


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        ({"kind": "password"}, {"kind"}),
        ({"kind": None, "organization_id": None}, {"kind", "organization_id"}),
        ({"organization_id": ""}, {"organization_id"}),
        ({"organization_id": "x" * 201}, {"organization_id"}),
        ({"organization_id": 5}, {"organization_id"}),
    ],
)
def test_invalid_event_creates_nothing(
    operate: Operate, wrong: dict[str, object], fields: set[str]
) -> None:
    result = operate(handler, NAME, **wrong)
    assert (result["ok"], result["code"]) == (False, "validation_failed")
    assert {detail["field"] for detail in result["details"]} == fields
    assert database.client().scan(TableName=config.table_name("ledger"))["Items"] == []


def test_secrets_are_not_logged(operate: Operate, capfd: pytest.CaptureFixture[str]) -> None:
    to_send = operate(handler, NAME)["to_send"]
    printed = "".join(capfd.readouterr())
    assert [text for text in to_send.values() if text in printed] == []
