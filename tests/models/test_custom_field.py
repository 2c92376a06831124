"""Models of custom fields. Source: docs/api/payments-ai.md, section 4."""

from typing import Any, get_args

import msgspec
import pytest

from bridge import clock
from bridge.models.custom_field import (
    Constraints,
    CustomField,
    FieldType,
    NewCustomField,
    Resource,
)
from bridge.models.model import json_of

FIELD = {"name": "f", "resource": "customers", "description": "", "type": "string"}


@pytest.mark.parametrize("resource", get_args(Resource))
@pytest.mark.parametrize("kind", get_args(FieldType))
def test_a_field_has_one_of_the_documented_resources_and_types(resource: str, kind: str) -> None:
    field = msgspec.convert(FIELD | {"resource": resource, "type": kind}, NewCustomField)
    assert (field.resource, field.type, field.constraints) == (resource, kind, None)


@pytest.mark.parametrize("change", [{"resource": "invoices"}, {"type": "text"}, {"name": None}])
def test_another_resource_or_type_or_no_name_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(FIELD | change, NewCustomField)


def test_a_stored_field_is_dumped_and_read_back_without_a_difference() -> None:
    now = clock.now()
    constraints = Constraints(required=True, default={"b": 1.0, "a": None}, allowed_values=["z"])
    times = {"created_at": now, "updated_at": now}
    field = msgspec.convert(FIELD | times | {"constraints": constraints}, CustomField)
    assert msgspec.json.decode(json_of(field), type=CustomField) == field


def test_constraints_without_limits_are_not_the_same_as_no_constraints() -> None:
    field = msgspec.convert(FIELD | {"constraints": {}}, NewCustomField)
    assert field.constraints == Constraints()
    assert field.constraints is not None
