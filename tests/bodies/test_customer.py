"""Bodies of requests about customers. Source: docs/api/native.md, section 3."""

import pytest
from pydantic import ValidationError

from bridge.bodies.customer import CustomerChange, GuestData, NewCustomer


def test_a_new_customer_needs_a_provider_only_and_converts_nothing() -> None:
    assert NewCustomer.model_validate({"provider_id": "stripe"}).metadata == {}
    for bad in ({}, {"provider_id": "nobody"}, {"provider_id": "stripe", "name": 7}):
        with pytest.raises(ValidationError):
            NewCustomer.model_validate(bad)


def test_guest_data_needs_an_email_and_a_name() -> None:
    guest = GuestData.model_validate({"email": "Jane@EXAMPLE.com", "name": " Jane "})
    assert (guest.email, guest.name, guest.phone) == ("Jane@example.com", "Jane", None)
    with pytest.raises(ValidationError) as refused:
        GuestData.model_validate({"email": "nobody", "name": " "})
    assert {each["loc"] for each in refused.value.errors()} == {("email",), ("name",)}


def test_validation_errors_do_not_repeat_the_value() -> None:
    with pytest.raises(ValidationError) as refused:
        NewCustomer.model_validate({"provider_id": "stripe", "email": "secret-text"})
    assert "secret-text" not in str(refused.value)


def test_a_change_knows_which_fields_were_sent() -> None:
    change = CustomerChange.model_validate({"name": None, "phone": "12345"})
    assert change.model_fields_set == {"name", "phone"}
