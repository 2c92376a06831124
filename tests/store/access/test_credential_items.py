"""Credentials by the hash of their name, and their entries for operators.

Source: docs/data-model.md, section 2.
"""

import hashlib

import pytest
from msgspec.structs import replace

from bridge import clock
from bridge.models.caller import PrefetchIds
from bridge.models.credential import CredentialKind, Holder
from bridge.store import dynamodb, keys
from bridge.store.access import credential_items
from bridge.store.customers import customer_items
from tests.store.conftest import Wire, customer, put_credential

pytestmark = pytest.mark.usefixtures("tables")
KINDS: list[tuple[CredentialKind, str, str | None, Holder]] = [
    ("api_key", "key-1", None, Holder(organization_id="org_1")),
    ("merchant", "token-1", "text", Holder(organization_id="org_1", merchant_key="text")),
    (
        *("oauth_client", "client-1", "secret"),
        Holder(organization_id="org_1", secret_hash=hashlib.sha256(b"secret").hexdigest()),
    ),
]


@pytest.mark.parametrize(("kind", "name", "secret", "holder"), KINDS)
def test_find_matches_exact_name_and_kind(
    kind: CredentialKind, name: str, secret: str | None, holder: Holder
) -> None:
    put_credential(kind, name, secret)
    assert credential_items.find(kind, name) == (holder, {})
    for other, *_ in KINDS:
        assert (credential_items.find(other, name)[0] is None) == (other != kind)
    assert credential_items.find(kind, name.upper())[0] is None


@pytest.mark.parametrize(("kind", "name", "secret", "holder"), KINDS)
def test_find_reads_credential_and_prefetched_records_in_one_batch(
    wire: Wire, kind: CredentialKind, name: str, secret: str | None, holder: Holder
) -> None:
    put_credential(kind, name, secret)
    owner = customer()
    customer_items.insert(owner, None)
    wire.watch("BatchGetItem")
    found, prefetched = credential_items.find(kind, name, PrefetchIds(customer_id=owner.id))
    assert found == holder
    assert customer_items.get(owner.id, prefetched) == owner
    assert len(wire.requests) == 1


def test_find_of_non_ascii_name_reads_nothing(wire: Wire) -> None:
    wire.watch("BatchGetItem")
    for name in ("ключ", "\ud800"):
        assert credential_items.find("api_key", name)[0] is None
    assert wire.requests == []


def test_insert_with_taken_name_raises_condition_failed() -> None:
    put_credential("api_key", "key-1")
    with pytest.raises(dynamodb.ConditionFailed):
        put_credential("api_key", "key-1", organization_id="org_2")
    found, _ = credential_items.find("api_key", "key-1")
    assert found == Holder(organization_id="org_1")
    assert credential_items.list_all("org_2") == []


def test_list_all_returns_entries_oldest_first_without_secrets() -> None:
    made = [put_credential(kind, name, secret) for kind, name, secret, _ in KINDS]
    put_credential("api_key", "key-2", organization_id="org_2")
    assert credential_items.list_all("org_1") == made
    stored = dynamodb.query_all("ledger", keys.organization_credentials("org_1"), "K#")
    for _, name, secret, _ in KINDS:
        assert name not in str(stored)
        assert f"'{secret}'" not in str(stored)


@pytest.mark.parametrize(("kind", "name", "secret", "holder"), KINDS)
def test_revoked_credential_is_not_found_and_its_entry_has_the_time(
    kind: CredentialKind, name: str, secret: str | None, holder: Holder
) -> None:
    made = put_credential(kind, name, secret)
    at = clock.now()
    revoked = replace(made, revoked_at=at)
    assert credential_items.revoke("org_1", made.id, at) == revoked
    assert credential_items.find(kind, name)[0] is None
    clock.set_offset(60)
    assert credential_items.revoke("org_1", made.id, clock.now()) == revoked
    assert credential_items.list_all("org_1") == [revoked]


def test_revoke_by_another_organization_does_nothing() -> None:
    made = put_credential("api_key", "key-1")
    assert credential_items.revoke("org_2", made.id, clock.now()) is None
    assert credential_items.revoke("org_1", "cred_nobodys", clock.now()) is None
    assert credential_items.find("api_key", "key-1")[0] is not None
