"""Credentials of organizations. Source: docs/architecture.md, section 2."""

import pytest

from bridge.bodies.operator import CredentialsOf, NewCredential, RevokedCredential
from bridge.core.operations import credentials
from bridge.core.operations.credentials import CreatedCredential
from bridge.errors import NotFound
from bridge.models.credential import CredentialKind, Holder
from bridge.store import keys
from bridge.store.access import credential_items

pytestmark = pytest.mark.usefixtures("tables")
KINDS: list[CredentialKind] = ["api_key", "merchant", "oauth_client"]


def create(kind: CredentialKind, organization_id: str = "org_1") -> CreatedCredential:
    new = NewCredential(kind=kind, organization_id=organization_id)
    return credentials.create_credential(new)


def holder(created: CreatedCredential) -> Holder | None:
    """Who the name of a credential belongs to now."""
    name = next(iter(created.to_send.values()))
    return credential_items.find(created.credential.kind, name)[0]


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("api_key", ["api_key"]),
        ("merchant", ["authenticity_token", "merchant_key"]),
        ("oauth_client", ["client_id", "client_secret"]),
    ],
)
def test_create_returns_what_the_owner_sends_and_stores_its_hash(
    kind: CredentialKind, names: list[str]
) -> None:
    created = create(kind)
    assert list(created.to_send) == names
    name, *secret = created.to_send.values()
    assert created.credential.ends_with == name[-4:]
    found = holder(created)
    assert found
    assert found.organization_id == "org_1"
    assert found.merchant_key == (secret[0] if kind == "merchant" else None)
    hashed = keys.digest(secret[0]) if kind == "oauth_client" else None
    assert found.secret_hash == hashed


def test_created_credential_does_not_print_its_secret() -> None:
    created = create("merchant")
    for text in created.to_send.values():
        assert text not in repr(created)


def test_list_returns_credentials_of_the_organization_oldest_first() -> None:
    ours = [create(kind).credential for kind in KINDS]
    create("api_key", "org_2")
    listed = credentials.list_credentials(CredentialsOf(organization_id="org_1"))
    assert listed.credentials == ours
    none = credentials.list_credentials(CredentialsOf(organization_id="org_3"))
    assert none.credentials == []


@pytest.mark.parametrize("kind", KINDS)
def test_revoked_credential_is_not_found_and_stays_listed(kind: CredentialKind) -> None:
    old, new = create(kind), create(kind)
    which = RevokedCredential(organization_id="org_1", credential_id=old.credential.id)
    for _ in range(2):
        credentials.revoke_credential(which)
        assert holder(old) is None
    assert holder(new) is not None
    listed = credentials.list_credentials(CredentialsOf(organization_id="org_1")).credentials
    assert [each.revoked_at is None for each in listed] == [False, True]


@pytest.mark.parametrize("credential_id", ["cred_unknown", "", "cred 1", "x" * 300, "\x00"])
def test_revoke_of_unknown_or_malformed_id_raises_not_found(credential_id: str) -> None:
    which = RevokedCredential(organization_id="org_1", credential_id=credential_id)
    with pytest.raises(NotFound):
        credentials.revoke_credential(which)


def test_revoke_by_another_organization_raises_not_found() -> None:
    created = create("api_key")
    which = RevokedCredential(organization_id="org_2", credential_id=created.credential.id)
    with pytest.raises(NotFound):
        credentials.revoke_credential(which)
    assert holder(created) is not None
