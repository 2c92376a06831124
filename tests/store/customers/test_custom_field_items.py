"""Definitions of custom fields in the ledger. Source: contracts/payments-ai.md 4."""

from typing import Any

import pytest

from bridge import clock
from bridge.models.custom_field import Constraints, CustomField
from bridge.store import keys
from bridge.store.customers import custom_field_items


def field(name: str, **more: Any) -> CustomField:
    now = clock.now().replace(microsecond=0)
    given = {"name": name, "resource": "customers", "description": "", "type": "string"}
    return CustomField.model_validate(given | {"created_at": now, "updated_at": now} | more)


def test_a_definition_comes_back_as_it_went(tables: None) -> None:
    constraints = Constraints(default={"b": 1.0, "a": True}, allowed_values=["z", "a"])
    given = field("x" * 255, constraints=constraints)
    custom_field_items.insert("org_1", given)
    got = custom_field_items.get("org_1", "customers", "x" * 255)
    assert got
    assert got.model_dump_json() == given.model_dump_json()


def test_no_constraints_are_not_empty_constraints(tables: None) -> None:
    custom_field_items.insert("org_1", field("none"))
    custom_field_items.insert("org_1", field("empty", constraints=Constraints()))
    empty, none = custom_field_items.list_all("org_1")
    assert (empty.constraints, none.constraints) == (Constraints(), None)


def test_the_first_of_two_stays_and_is_shown_to_the_second(tables: None) -> None:
    custom_field_items.insert("org_1", field("f", description="first"))
    with pytest.raises(custom_field_items.Taken) as taken:
        custom_field_items.insert("org_1", field("f", description="second"))
    assert taken.value.field.description == "first"
    custom_field_items.replace("org_1", field("f", description="second"))
    (kept,) = custom_field_items.list_all("org_1")
    assert kept.description == "second"


def test_a_list_is_by_name_of_one_organization_and_resource(tables: None) -> None:
    for name in ("c", "a", "B"):
        custom_field_items.insert("org_1", field(name))
    custom_field_items.insert("org_1", field("b", resource="plans"))
    custom_field_items.insert("org_2", field("d"))
    of_customers = custom_field_items.list_all("org_1", "customers")
    assert [each.name for each in of_customers] == ["B", "a", "c"]
    assert [each.name for each in custom_field_items.list_all("org_1")] == ["B", "a", "b", "c"]


def test_the_longest_name_is_a_key_that_dynamodb_takes() -> None:
    key = keys.custom_field("org_1", "payment-instruments", "💶" * 255)
    assert len(key.sk.encode()) < 1024
    assert key.sk.startswith("F#payment-instruments#")
