"""Custom fields of the payments.ai API. Source: docs/api/payments-ai.md, section 4."""

from typing import Any

import pytest
from msgspec.structs import replace

from bridge.api_adapters.payments_ai import custom_field_wire as adapter, wire
from bridge.errors import InvalidRequest, NotFound
from bridge.models.custom_field import CustomFieldDefined
from bridge.models.page import Counted, OffsetPage
from tests.api_adapters.conftest import request_of
from tests.api_adapters.payments_ai.conftest import FIELD, TIER, definition, of_path


def test_unknown_resource_in_the_path_is_not_found() -> None:
    request = of_path({"type": "string"}, "nothing")
    for read in (adapter.read_key, adapter.read_custom_fields_page):
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
    bare = adapter.render_custom_field(definition({}), replace(FIELD, constraints=None))
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
