"""Bodies of requests about payment methods. Source: docs/api/native.md, section 5."""

from typing import Any

import pytest
from pydantic import ValidationError

from bridge.bodies.payment_method import MethodChange, NewMethod

NAMES = ("provider_payment_method_id", "provider_payment_method_token", "token")


@pytest.mark.parametrize("name", NAMES)
def test_a_token_may_have_one_of_three_names(name: str) -> None:
    new = NewMethod.model_validate({name: " pm_card_visa "})
    assert (new.token_name, new.provider_token) == (name, "pm_card_visa")


def test_the_first_of_several_tokens_counts() -> None:
    new = NewMethod.model_validate({name: f"token_{name}" for name in NAMES})
    assert new.provider_token == f"token_{NAMES[0]}"
    new = NewMethod.model_validate({name: f"token_{name}" for name in NAMES[1:]})
    assert new.provider_token == f"token_{NAMES[1]}"


@pytest.mark.parametrize("body", [{}, {"token": None}, {"customer_id": "cust_1"}])
def test_a_missing_token_is_one_error(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        NewMethod.model_validate(body)
    (error,) = refused.value.errors()
    assert error["loc"] == ("provider_payment_method_id",)
    assert "is required" in error["msg"]


def test_an_invalid_token_is_reported_under_its_name_only() -> None:
    with pytest.raises(ValidationError) as refused:
        NewMethod.model_validate({"token": 7})
    assert [each["loc"] for each in refused.value.errors()] == [("token",)]


def test_a_change_may_repeat_immutable_fields_and_knows_what_was_sent() -> None:
    change = MethodChange.model_validate({"id": "pm_1", "type": "card", "is_default": False})
    sent = {"id": "pm_1", "type": "card", "is_default": False}
    assert change.model_dump(exclude_none=True) == sent
    with pytest.raises(ValidationError):
        MethodChange.model_validate({"is_default": "yes"})
