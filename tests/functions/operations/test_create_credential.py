"""operations/create_credential: what opens an organization to a server, told once."""

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


def by_key(told: dict[str, str]) -> Caller:
    return api_keys.authenticate(told["api_key"])


def by_digest(told: dict[str, str]) -> Caller:
    token, now = told["authenticity_token"], str(clock.seconds())
    digest = merchants.digest_of(told["merchant_key"], now, token, "/v2/customers", b"")
    return merchants.authenticate(f"WP3-v2.1 {token} {now} {digest}", "/v2/customers", "", b"")


def by_monri_token(told: dict[str, str]) -> Caller:
    made = merchants.issue_token(told["authenticity_token"], told["merchant_key"], [])
    return merchants.authenticate(f"Bearer {made.token}", "/v2/customers", "", b"")


def by_client(told: dict[str, str]) -> Caller:
    pair = base64.b64encode(f"{told['client_id']}:{told['client_secret']}".encode()).decode()
    return oauth_clients.authenticate(oauth_clients.issue_token(f"Basic {pair}").token)


KINDS = [
    ("api_key", by_key),
    ("merchant", by_digest),
    ("merchant", by_monri_token),
    ("oauth_client", by_client),
]


def test_the_event_file_makes_a_merchant(operate: Operate) -> None:
    answer = operate(handler, NAME)
    assert answer["ok"] is True
    assert set(answer["to_send"]) == {"authenticity_token", "merchant_key"}
    assert by_digest(answer["to_send"]).key_of == "org_456"
    made = answer["credential"]
    assert made["id"].startswith("cred_")
    assert made["ends_with"] == answer["to_send"]["authenticity_token"][-4:]
    assert (made["kind"], made["organization_id"]) == ("merchant", "org_456")
    assert made["revoked_at"] is None


@pytest.mark.parametrize(("kind", "authenticate"), KINDS)
def test_what_is_told_opens_the_organization(
    operate: Operate, kind: str, authenticate: Callable[[dict[str, str]], Caller]
) -> None:
    told = operate(handler, NAME, kind=kind, organization_id="org_1")["to_send"]
    assert authenticate(told).key_of == "org_1"
    assert all(text.isascii() and text.isprintable() and " " not in text for text in told.values())


@pytest.mark.parametrize("kind", ["api_key", "merchant", "oauth_client"])
def test_no_two_are_alike_and_both_are_good(operate: Operate, kind: str) -> None:
    first, second = (operate(handler, NAME, kind=kind)["to_send"] for _ in range(2))
    assert set(first.values()).isdisjoint(second.values())
    for made, authenticate in KINDS:
        if made == kind:
            assert authenticate(first).key_of == authenticate(second).key_of == "org_456"


@pytest.mark.parametrize("kind", ["api_key", "merchant", "oauth_client"])
def test_a_secret_is_stored_as_its_hash_but_for_a_merchants_key(
    operate: Operate, kind: str
) -> None:
    told = operate(handler, NAME, kind=kind)["to_send"]
    stored = {
        table: str(database.client().scan(TableName=config.table_name(table))["Items"])
        for table in ("ledger", "secrets", "ephemeral")
    }
    for word, text in told.items():
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
def test_a_wrong_event_makes_nothing(
    operate: Operate, wrong: dict[str, object], fields: set[str]
) -> None:
    answer = operate(handler, NAME, **wrong)
    assert (answer["ok"], answer["code"]) == (False, "validation_failed")
    assert {detail["field"] for detail in answer["details"]} == fields
    assert database.client().scan(TableName=config.table_name("ledger"))["Items"] == []


def test_nothing_of_it_is_logged(operate: Operate, capfd: pytest.CaptureFixture[str]) -> None:
    told = operate(handler, NAME)["to_send"]
    printed = "".join(capfd.readouterr())
    assert [text for text in told.values() if text in printed] == []
