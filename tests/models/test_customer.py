"""Models of customers. Source: docs/api/native.md, section 3; docs/data-model.md, section 2."""

from typing import Any

import pytest
from pydantic import ValidationError

from bridge import clock
from bridge.models.customer import (
    Customer,
    CustomerChange,
    CustomerFields,
    CustomerUser,
    GuestData,
    NewCustomer,
    joined_name,
    renamed,
)


def customer(**more: Any) -> Customer:
    now = clock.now()
    known = {"id": "cust_1", "uid": "1", "created_at": now, "updated_at": now}
    return Customer.model_validate(known | more)


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
    assert CustomerFields(email=None).model_fields_set == {"email"}


def test_a_customer_is_printed_without_personal_data() -> None:
    made = customer(
        email="jane@example.com",
        name="Jane Doe",
        first_name="Jane",
        last_name="Doe",
        phone="555-1234",
        address={"city": "Leith"},
        metadata={"note": "secret"},
    )
    for personal in ("jane", "doe", "555", "leith", "secret"):
        assert personal not in repr(made).lower()
    now = clock.now()
    contact = CustomerUser(id="usr_1", customer_id="cust_1", email="rosa@b.test", created_at=now)
    assert "rosa" not in repr(contact)


def test_a_customer_is_dumped_and_read_back_without_a_difference() -> None:
    made = customer(metadata={"z": None, "a": [1.5, True]}, address={"zip": "1", "city": None})
    assert Customer.model_validate_json(made.model_dump_json()) == made
    assert isinstance(made.model_dump()["metadata"], str)


@pytest.mark.parametrize(
    ("first", "last", "joined"),
    [("Jane", "Doe", "Jane Doe"), ("Jane", None, "Jane"), ("", "Doe", "Doe"), (None, "", None)],
)
def test_b11_joined_name_is_first_and_last_name(
    first: str | None, last: str | None, joined: str | None
) -> None:
    assert joined_name(first, last) == joined


@pytest.mark.parametrize(
    ("before", "written", "name", "is_derived"),
    [
        ({}, {"first_name": "Jane"}, "Jane", True),
        ({}, {"phone": "12345", "first_name": None}, None, False),
        ({"name": "Own"}, {"first_name": "Jane"}, "Own", False),
        ({"name": "Jane", "name_is_derived": True}, {"last_name": "Doe"}, "Doe", True),
        ({"name": "Jane", "name_is_derived": True}, {"name": "Own"}, "Own", False),
        ({"name": "Jane", "name_is_derived": True}, {"phone": "12345"}, "Jane", True),
    ],
)
def test_renamed_derives_the_name_unless_a_caller_wrote_it(
    before: dict[str, Any], written: dict[str, Any], name: str | None, is_derived: bool
) -> None:
    seen = customer(**before)
    after = renamed(seen, seen.model_copy(update=written), written)
    assert (after.name, after.name_is_derived) == (name, is_derived)
