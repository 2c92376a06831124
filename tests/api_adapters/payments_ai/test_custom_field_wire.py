"""Custom fields of the payments.ai API. Source: docs/api/payments-ai.md, section 4."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bridge.api_adapters.payments_ai import custom_field_wire as adapter, wire
from bridge.errors import Detail, InvalidRequest, NotFound
from bridge.inbound import Request
from bridge.models.custom_field import Constraints, CustomField, CustomFieldDefined, NewCustomField
from bridge.models.page import Counted, OffsetPage
from tests.api_adapters.conftest import request_of

AT = datetime(2026, 3, 2, tzinfo=UTC)
TIER = {
    "name": "loyaltyTier",
    "resource": "customers",
    "description": "Shop loyalty level",
    "typeSchema": {
        "type": "string",
        "additionalSchema": {"allowedValues": ["bronze", "silver"], "maxLength": 20},
    },
}
FIELD = CustomField(
    name="loyaltyTier",
    resource="customers",
    description="Shop loyalty level",
    type="string",
    constraints=Constraints(allowed_values=["bronze", "silver"], max_length=20),
    created_at=AT,
    updated_at=AT,
)


def definition(body: dict[str, Any]) -> Request:
    return request_of(method="POST", body=body)


def of_path(body: dict[str, Any], resource: str = "customers") -> Request:
    """A request in the SDK's form."""
    parameters = {"resource": resource, "name": "loyaltyTier"}
    return request_of(method="PUT", body=body, path_parameters=parameters)


def with_schema(**schema: object) -> dict[str, Any]:
    return TIER | {"typeSchema": {"type": "string", "additionalSchema": schema}}


def test_read_new_custom_field_uses_our_names() -> None:
    new = adapter.read_new_custom_field(definition(TIER))
    assert new == NewCustomField(**FIELD.model_dump(exclude={"created_at", "updated_at"}))


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
    body = {"description": TIER["description"], **TIER["typeSchema"]}  # type: ignore[dict-item]
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


def test_unknown_resource_in_the_path_is_not_found() -> None:
    request = of_path({"type": "string"}, "nothing")
    for read in (
        adapter.read_custom_field_of_path,
        adapter.read_key,
        adapter.read_custom_fields_page,
    ):
        with pytest.raises(NotFound):
            read(request)


def test_read_key_returns_resource_and_name() -> None:
    assert adapter.read_key(of_path({}, "plans")) == ("plans", "loyaltyTier")


@pytest.mark.parametrize(
    ("query", "parameters", "resource"),
    [
        ("", {}, None),
        ("resource=", {}, None),
        ("resource=plans", {}, "plans"),
        ("resource=plans", {"resource": "customers"}, "customers"),
    ],
)
def test_read_custom_fields_page_takes_the_resource_of_path_or_query(
    query: str, parameters: dict[str, str], resource: str | None
) -> None:
    page = adapter.read_custom_fields_page(request_of(query, path_parameters=parameters))
    assert page == (resource, OffsetPage(limit=20))


def test_read_custom_fields_page_reports_every_invalid_parameter() -> None:
    with pytest.raises(InvalidRequest) as refused:
        adapter.read_custom_fields_page(request_of("limit=x&resource=nothing"))
    assert [detail.field for detail in refused.value.details] == ["limit", "resource"]


def test_render_custom_field_has_the_documented_keys() -> None:
    times = {"createdTime": "2026-03-02T00:00:00Z", "updatedTime": "2026-03-02T00:00:00Z"}
    response = adapter.render_custom_field(definition({}), FIELD)
    assert (response.status, response.body, response.headers) == (200, TIER | times, wire.JSON)
    bare = adapter.render_custom_field(
        definition({}), FIELD.model_copy(update={"constraints": None})
    )
    assert bare.body == TIER | times | {"typeSchema": {"type": "string", "additionalSchema": None}}


def test_p27_render_custom_field_repeats_the_schema_at_the_top_for_the_sdk() -> None:
    body: Any = adapter.render_custom_field(of_path({}), FIELD).body
    assert {"type": body["type"], "additionalSchema": body["additionalSchema"]} == body[
        "typeSchema"
    ]


@pytest.mark.parametrize(("is_new", "status"), [(True, 201), (False, 200)])
def test_render_defined_is_a_201_for_a_new_field(status: int, *, is_new: bool) -> None:
    defined = CustomFieldDefined(field=FIELD, is_new=is_new)
    assert adapter.render_defined(definition({}), defined).status == status


def test_render_custom_fields_is_a_page() -> None:
    response = adapter.render_custom_fields(
        definition({}), OffsetPage(limit=1), Counted([FIELD], 3)
    )
    assert [each["name"] for each in response.body] == ["loyaltyTier"]  # type: ignore[attr-defined]
    assert response.headers["Pagination-Total"] == "3"
