"""operations/revoke_credential: the credential and its tokens stop working at once."""

from collections.abc import Callable
from typing import Any

import pytest

from bridge.authentication import api_keys, oauth_clients
from bridge.errors import Forbidden, NotAuthenticated
from functions.operations.create_credential.handler import handler as create_credential
from functions.operations.list_credentials.handler import handler as list_credentials
from functions.operations.revoke_credential.handler import handler
from local.stripe.simulator import StripeSimulator

Operate = Callable[..., dict[str, Any]]
NAME = "operations/revoke_credential"
DEMO_CLIENT = "Basic ZGVtby1jbGllbnQ6ZGVtby1zZWNyZXQ="


def test_event_file_revokes_the_demo_client_and_its_tokens(
    demo_data: StripeSimulator, operate: Operate
) -> None:
    token = oauth_clients.issue_token(DEMO_CLIENT).token
    assert oauth_clients.authenticate(token).key_of == "org_456"
    for _ in range(2):
        assert operate(handler, NAME) == {"ok": True}
        with pytest.raises(Forbidden):
            oauth_clients.issue_token(DEMO_CLIENT)
        with pytest.raises(NotAuthenticated):
            oauth_clients.authenticate(token)
    assert oauth_clients.authenticate("YOUR_API_KEY").key_of == "org_456"


@pytest.mark.usefixtures("tables")
def test_api_keys_rotate_with_two_valid_at_once(operate: Operate) -> None:
    old, new = (
        operate(create_credential, "operations/create_credential", kind="api_key") for _ in range(2)
    )
    for each in (old, new):
        assert api_keys.authenticate(each["to_send"]["api_key"]).key_of == "org_456"
    operate(handler, NAME, credential_id=old["credential"]["id"])
    with pytest.raises(NotAuthenticated):
        api_keys.authenticate(old["to_send"]["api_key"])
    assert api_keys.authenticate(new["to_send"]["api_key"]).key_of == "org_456"
    listed = operate(list_credentials, "operations/list_credentials")["credentials"]
    assert [each["revoked_at"] is None for each in listed] == [False, True]


@pytest.mark.parametrize(
    "changes",
    [
        {"credential_id": "cred_nobodys"},
        {"credential_id": "\x00"},
        {"credential_id": "x" * 300},
        {"organization_id": "org_789"},
    ],
)
def test_unknown_credential_returns_not_found(
    demo_data: StripeSimulator, operate: Operate, changes: dict[str, str]
) -> None:
    result = operate(handler, NAME, **changes)
    assert (result["ok"], result["code"]) == (False, "not_found")
    assert oauth_clients.issue_token(DEMO_CLIENT).token


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("wrong", [None, 5])
def test_event_without_ids_returns_validation_failed(operate: Operate, wrong: object) -> None:
    result = operate(handler, NAME, organization_id=wrong, credential_id=wrong)
    assert (result["ok"], result["code"]) == (False, "validation_failed")
    fields = {detail["field"] for detail in result["details"]}
    assert fields == {"organization_id", "credential_id"}
