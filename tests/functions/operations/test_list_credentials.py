"""operations/list_credentials: the credentials of an organization, without secrets."""

from collections.abc import Callable
from typing import Any

import pytest

from functions.operations.create_credential.handler import handler as create_credential
from functions.operations.list_credentials.handler import handler
from local.demo import CREDENTIALS
from local.stripe.simulator import StripeSimulator

Operate = Callable[..., dict[str, Any]]
NAME = "operations/list_credentials"
CREATE = "operations/create_credential"


def test_event_file_lists_the_demo_credentials(
    demo_data: StripeSimulator, operate: Operate
) -> None:
    result = operate(handler, NAME)
    assert result["ok"] is True
    listed = {each["id"]: each for each in result["credentials"]}
    assert set(listed) == {each[0] for each in CREDENTIALS}
    for identifier, kind, name, _ in CREDENTIALS:
        assert (listed[identifier]["kind"], listed[identifier]["ends_with"]) == (kind, name[-4:])


@pytest.mark.usefixtures("tables")
def test_list_returns_own_credentials_oldest_first_without_secrets(operate: Operate) -> None:
    made = [operate(create_credential, CREATE, kind=kind) for kind in ("api_key", "merchant")]
    operate(create_credential, CREATE, organization_id="org_1")
    result = operate(handler, NAME)
    assert result["credentials"] == [each["credential"] for each in made]
    for each in made:
        assert [text for text in each["to_send"].values() if text in str(result)] == []


@pytest.mark.usefixtures("tables")
def test_list_of_organization_without_credentials_is_empty(operate: Operate) -> None:
    assert operate(handler, NAME) == {"ok": True, "credentials": []}


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("wrong", [None, "", 5, "x" * 201])
def test_event_without_organization_returns_validation_failed(
    operate: Operate, wrong: object
) -> None:
    result = operate(handler, NAME, organization_id=wrong)
    assert (result["ok"], result["code"]) == (False, "validation_failed")
