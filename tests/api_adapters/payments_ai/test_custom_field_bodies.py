"""The bodies of requests about custom fields. Source: docs/api/payments-ai.md, section 4."""

from typing import Any

import msgspec
import pytest

from bridge.api_adapters.payments_ai import custom_field_bodies as adapter
from bridge.errors import Detail, InvalidRequest, NotFound
from bridge.models.custom_field import NewCustomField
from bridge.models.model import values_of
from tests.api_adapters.payments_ai.conftest import FIELD, TIER, definition, of_path


def with_schema(**schema: object) -> dict[str, Any]:
    return TIER | {"typeSchema": {"type": "string", "additionalSchema": schema}}


def test_read_new_custom_field_uses_our_names() -> None:
    new = adapter.read_new_custom_field(definition(TIER))
    values = values_of(FIELD, "created_at", "updated_at")
    assert new == msgspec.convert(values, NewCustomField)


@pytest.mark.parametrize("schema", [None, ...])
def test_additional_schema_may_be_null_or_missing(schema: object) -> None:
    parts = {"type": "array"} | ({} if schema is ... else {"additionalSchema": schema})
    assert (
        adapter.read_new_custom_field(definition(TIER | {"typeSchema": parts})).constraints is None
    )


@pytest.mark.parametrize(
    ("body", "details"),
    [
        (
            {},
            [
                Detail(name, "is required")
                for name in ("name", "resource", "description", "typeSchema")
            ],
        ),
        (TIER | {"name": ""}, [Detail("name", "must be 1 to 255 characters")]),
        (
            TIER | {"name": "a/b"},
            [Detail("name", "must not hold control characters or a slash")],
        ),
        (TIER | {"name": 5}, [Detail("name", "must be a string")]),
        (
            TIER | {"description": "x" * 256},
            [Detail("description", "must be at most 255 characters")],
        ),
        (TIER | {"typeSchema": []}, [Detail("typeSchema", "must be an object")]),
        (TIER | {"typeSchema": {}}, [Detail("typeSchema.type", "is required")]),
        (
            with_schema(required=1, allowedValues=[1], maxLength=4001, pattern="x" * 1001),
            [
                Detail("typeSchema.additionalSchema.required", "must be a boolean"),
                Detail("typeSchema.additionalSchema.allowedValues", "must be an array of strings"),
                Detail(
                    "typeSchema.additionalSchema.maxLength",
                    "must be an integer between 1 and 4000",
                ),
                Detail("typeSchema.additionalSchema.pattern", "must be at most 1000 characters"),
            ],
        ),
    ],
)
def test_read_new_custom_field_reports_every_invalid_field(
    body: dict[str, Any], details: list[Detail]
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        adapter.read_new_custom_field(definition(body))
    assert refused.value.details == details


@pytest.mark.parametrize(
    ("changes", "field"), [({"resource": "x"}, "resource"), ({"typeSchema": {"type": "x"}}, "type")]
)
def test_unknown_resource_or_type_is_refused_with_all_choices(
    changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        adapter.read_new_custom_field(definition(TIER | changes))
    (detail,) = refused.value.details
    assert detail.field.endswith(field)
    assert detail.message.startswith("must be one of ")


def test_p27_read_custom_field_of_path_equals_the_other_form() -> None:
    body = {"description": TIER["description"], **TIER["typeSchema"]}
    new = adapter.read_custom_field_of_path(of_path(body))
    assert new == adapter.read_new_custom_field(definition(TIER))


def test_p27_read_custom_field_of_path_needs_no_description() -> None:
    assert adapter.read_custom_field_of_path(of_path({"type": "number"})).description == ""


def test_p27_errors_of_the_sdk_form_have_its_paths() -> None:
    with pytest.raises(InvalidRequest) as refused:
        adapter.read_custom_field_of_path(of_path({"additionalSchema": {"required": 1}}))
    assert refused.value.details == [
        Detail("type", "is required"),
        Detail("additionalSchema.required", "must be a boolean"),
    ]


def test_read_custom_field_of_path_with_an_unknown_resource_is_not_found() -> None:
    with pytest.raises(NotFound):
        adapter.read_custom_field_of_path(of_path({"type": "string"}, "nothing"))
