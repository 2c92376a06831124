"""Fields that can be set only at creation. Source: docs/api/native.md, section 1 (B5)."""

from typing import Any

import pytest

from bridge.core.rules import immutable_fields
from bridge.errors import InvalidRequest

STORED = {"id": "cust_1", "provider_id": "stripe", "user_id": None}
NAMES = ("id", "provider_id", "user_id", "organization_id")


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"id": "cust_1"},
        {"provider_id": "stripe", "user_id": None},
        {"organization_id": None},
        {"name": "free to change"},
    ],
)
def test_fields_with_the_stored_value_pass(given: dict[str, Any]) -> None:
    immutable_fields.check(given, STORED, NAMES)


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({"id": "cust_2"}, ["id"]),
        ({"user_id": "user_1", "name": "free to change"}, ["user_id"]),
        ({"organization_id": "org_1", "provider_id": "paypal"}, ["provider_id", "organization_id"]),
        ({"provider_id": None}, ["provider_id"]),
    ],
)
def test_other_values_raise_immutable_field_with_every_field(
    given: dict[str, Any], fields: list[str]
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        immutable_fields.check(given, STORED, NAMES)
    assert refused.value.code == "immutable_field"
    assert [each.field for each in refused.value.details] == fields


def test_fields_that_are_not_listed_may_change() -> None:
    immutable_fields.check({"provider_id": "paypal"}, STORED, ["id"])
