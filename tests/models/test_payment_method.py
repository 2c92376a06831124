"""Models of payment methods. Source: docs/api/native.md, section 5."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from bridge import clock
from bridge.models.payment_method import MethodChange, NewMethod, PaymentMethod

NAMES = ("provider_payment_method_id", "provider_payment_method_token", "token")


def method(**more: Any) -> PaymentMethod:
    now = clock.now()
    known = {"id": "pm_1", "uid": "1", "customer_id": "cust_1", "provider_id": "stripe"}
    return PaymentMethod.model_validate(known | {"created_at": now, "updated_at": now} | more)


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


@pytest.mark.parametrize(
    ("year", "month", "is_expired"),
    [(2025, 1, False), (2024, 12, True), (2026, 1, False), (None, None, False)],
)
def test_is_expired_after_the_end_of_the_month(
    year: int | None, month: int | None, is_expired: bool
) -> None:
    now = datetime(2025, 1, 31, 23, 59, tzinfo=UTC)
    assert method(exp_year=year, exp_month=month).is_expired(now) is is_expired


def test_a_token_is_neither_printed_nor_dumped() -> None:
    made = method(token="pm_secret", alias="my card", metadata={"note": "private"})
    assert "pm_secret" not in made.model_dump_json()
    for secret in ("pm_secret", "my card", "private"):
        assert secret not in repr(made)


def test_a_change_may_repeat_immutable_fields_and_knows_what_was_sent() -> None:
    change = MethodChange.model_validate({"id": "pm_1", "type": "card", "is_default": False})
    sent = {"id": "pm_1", "type": "card", "is_default": False}
    assert change.model_dump(exclude_none=True) == sent
    with pytest.raises(ValidationError):
        MethodChange.model_validate({"is_default": "yes"})
