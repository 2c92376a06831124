"""Bodies of requests about addresses. Source: docs/api/native.md, section 5."""

from typing import Any

import pytest
from pydantic import ValidationError

from bridge.bodies.address import AddressChange, NewAddress

HOME = {"line1": "1 Main Street", "city": "Springfield", "country": "US"}


def errors(body: dict[str, Any]) -> set[str]:
    with pytest.raises(ValidationError) as refused:
        NewAddress.model_validate(body)
    return {str(each["loc"][0]) for each in refused.value.errors()}


def test_a_new_address_is_a_billing_address_at_stripe_by_default() -> None:
    new = NewAddress.model_validate(HOME)
    assert (new.type, new.provider_id, new.is_default, new.customer_id) == (
        "billing",
        "stripe",
        False,
        None,
    )


def test_line1_city_and_country_are_required_and_not_empty() -> None:
    assert errors({}) == {"line1", "city", "country"}
    assert errors({"line1": " ", "city": "", "country": " "}) == {"line1", "city", "country"}


@pytest.mark.parametrize("given", ["us", " Us ", "US"])
def test_a_country_in_any_case_is_stored_in_upper_case(given: str) -> None:
    assert NewAddress.model_validate(HOME | {"country": given}).country == "US"


@pytest.mark.parametrize("given", ["USA", "XX", "", "840", 840, None])
def test_another_country_is_refused(given: object) -> None:
    assert errors(HOME | {"country": given}) == {"country"}


def test_another_type_and_a_long_postal_code_are_refused() -> None:
    assert errors(HOME | {"type": "home", "postal_code": "1" * 101}) == {"type", "postal_code"}


def test_a_change_knows_which_fields_were_sent() -> None:
    change = AddressChange.model_validate({"city": "Leith", "country": "gb"})
    assert change.model_dump(exclude_none=True) == {"city": "Leith", "country": "GB"}
