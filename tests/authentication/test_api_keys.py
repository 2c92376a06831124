"""API keys.

Source: docs/api/payments-ai.md, section 1.2; docs/api/alternative.md, section 2 (A2).
"""

import pytest

from bridge import clock, config
from bridge.authentication import api_keys
from bridge.errors import NotAuthenticated
from bridge.store.access import credential_items
from local import database
from tests.store.conftest import put_credential

pytestmark = pytest.mark.usefixtures("tables")
KEY = "acct_1_s3cr3t_with_underscores_kid_1"


def assert_refused(key: str) -> None:
    with pytest.raises(NotAuthenticated) as refused:
        api_keys.authenticate(key)
    assert (refused.value.status, refused.value.code) == (401, "credential_invalid")


def test_authenticate_returns_the_organization_with_all_rights() -> None:
    put_credential("api_key", KEY)
    caller = api_keys.authenticate(KEY)
    assert (caller.key_of, caller.scopes, caller.kind) == ("org_1", None, "key")
    assert (caller.is_user, caller.is_nobody) == (False, False)
    assert caller.organizations == {}


@pytest.mark.parametrize(
    "other", ["", KEY[:-1], KEY + "1", KEY.upper(), f" {KEY}", "x" * 10_000, "ключ", "\ud800", "\0"]
)
def test_authenticate_refuses_any_other_text(other: str) -> None:
    """A key is opaque: only the whole text is valid, and none of its parts."""
    put_credential("api_key", KEY)
    assert_refused(other)


def test_two_keys_are_valid_until_one_is_revoked() -> None:
    old = put_credential("api_key", KEY)
    put_credential("api_key", "another-key-0001")
    assert api_keys.authenticate(KEY).key_of == "org_1"
    assert api_keys.authenticate("another-key-0001").key_of == "org_1"
    credential_items.revoke("org_1", old.id, clock.now())
    assert_refused(KEY)
    assert api_keys.authenticate("another-key-0001").key_of == "org_1"


def test_keys_of_two_organizations_stay_separate() -> None:
    put_credential("api_key", KEY, organization_id="org_1")
    put_credential("api_key", "another-key-0001", organization_id="org_2")
    assert api_keys.authenticate(KEY).key_of == "org_1"
    assert api_keys.authenticate("another-key-0001").key_of == "org_2"


def test_only_the_hash_of_a_key_is_stored() -> None:
    put_credential("api_key", KEY)
    for table in ("ledger", "secrets", "ephemeral"):
        items = database.client().scan(TableName=config.table_name(table))["Items"]
        assert KEY not in str(items)
