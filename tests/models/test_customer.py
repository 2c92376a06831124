"""Stored customers. Source: docs/api/native.md, section 3; docs/data-model.md, section 2."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from bridge import clock
from bridge.models.customer import Customer, CustomerFields, CustomerUser, joined_name, renamed
from bridge.models.model import json_of, values_of


def customer(**more: Any) -> Customer:
    now = clock.now()
    known = {"id": "cust_1", "uid": "1", "created_at": now, "updated_at": now}
    return msgspec.convert(known | more, Customer)


def test_customer_fields_have_only_the_fields_that_were_sent() -> None:
    assert CustomerFields(email=None).keys() == {"email"}
    assert CustomerFields.__optional_keys__ <= set(Customer.__struct_fields__)


@pytest.mark.parametrize("change", [{"provider_id": "nobody"}, {"state": "gone"}, {"name": 7}])
def test_a_customer_with_a_wrong_value_is_not_read(change: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        customer(**change)


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
    assert msgspec.json.decode(json_of(made), type=Customer) == made
    assert msgspec.convert(values_of(made), Customer) == made


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
    after = renamed(seen, replace(seen, **written), written)
    assert (after.name, after.name_is_derived) == (name, is_derived)
