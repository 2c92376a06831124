"""operations/list_credentials: what there is of an organization, and no secret."""

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


def test_the_event_file_lists_the_demo_credentials(
    demo_data: StripeSimulator, operate: Operate
) -> None:
    answer = operate(handler, NAME)
    assert answer["ok"] is True
    listed = {each["id"]: each for each in answer["credentials"]}
    assert set(listed) == {each[0] for each in CREDENTIALS}
    for identifier, kind, name, _ in CREDENTIALS:
        assert (listed[identifier]["kind"], listed[identifier]["ends_with"]) == (kind, name[-4:])


@pytest.mark.usefixtures("tables")
def test_each_organizations_are_its_own_and_the_oldest_comes_first(operate: Operate) -> None:
    made = [operate(create_credential, CREATE, kind=kind) for kind in ("api_key", "merchant")]
    operate(create_credential, CREATE, organization_id="org_1")
    answer = operate(handler, NAME)
    assert answer["credentials"] == [each["credential"] for each in made]
    for each in made:
        assert [text for text in each["to_send"].values() if text in str(answer)] == []


@pytest.mark.usefixtures("tables")
def test_an_organization_without_any_has_none(operate: Operate) -> None:
    assert operate(handler, NAME) == {"ok": True, "credentials": []}


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("wrong", [None, "", 5, "x" * 201])
def test_it_takes_an_organization(operate: Operate, wrong: object) -> None:
    answer = operate(handler, NAME, organization_id=wrong)
    assert (answer["ok"], answer["code"]) == (False, "validation_failed")
