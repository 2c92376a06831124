"""Definitions of custom fields in the ledger. Source: docs/data-model.md, section 2."""

from typing import Any

import msgspec
import pytest

from bridge import clock
from bridge.models.custom_field import Constraints, CustomField
from bridge.models.model import json_of
from bridge.store import keys
from bridge.store.customers import custom_field_items


def field(name: str, **more: Any) -> CustomField:
    now = clock.now().replace(microsecond=0)
    given = {"name": name, "resource": "customers", "description": "", "type": "string"}
    return msgspec.convert(given | {"created_at": now, "updated_at": now} | more, CustomField)


def test_get_returns_a_definition_exactly_as_inserted(tables: None) -> None:
    constraints = Constraints(default={"b": 1.0, "a": True}, allowed_values=["z", "a"])
    given = field("x" * 255, constraints=constraints)
    custom_field_items.insert("org_1", given)
    got = custom_field_items.get("org_1", "customers", "x" * 255)
    assert got
    assert json_of(got) == json_of(given)


def test_missing_constraints_differ_from_empty_constraints(tables: None) -> None:
    custom_field_items.insert("org_1", field("none"))
    custom_field_items.insert("org_1", field("empty", constraints=Constraints()))
    empty, none = custom_field_items.list_all("org_1")
    assert (empty.constraints, none.constraints) == (Constraints(), None)


def test_insert_of_a_taken_name_raises_taken_with_the_stored_field(tables: None) -> None:
    custom_field_items.insert("org_1", field("f", description="first"))
    with pytest.raises(custom_field_items.Taken) as taken:
        custom_field_items.insert("org_1", field("f", description="second"))
    assert taken.value.field.description == "first"
    custom_field_items.replace("org_1", field("f", description="second"))
    (kept,) = custom_field_items.list_all("org_1")
    assert kept.description == "second"


def test_list_all_returns_one_organizations_fields_by_name(tables: None) -> None:
    for name in ("c", "a", "B"):
        custom_field_items.insert("org_1", field(name))
    custom_field_items.insert("org_1", field("b", resource="plans"))
    custom_field_items.insert("org_2", field("d"))
    of_customers = custom_field_items.list_all("org_1", "customers")
    assert [each.name for each in of_customers] == ["B", "a", "c"]
    assert [each.name for each in custom_field_items.list_all("org_1")] == ["B", "a", "b", "c"]


def test_the_key_of_the_longest_name_fits_into_dynamodbs_limit() -> None:
    key = keys.custom_field("org_1", "payment-instruments", "💶" * 255)
    assert len(key.sk.encode()) < 1024
    assert key.sk.startswith("F#payment-instruments#")
