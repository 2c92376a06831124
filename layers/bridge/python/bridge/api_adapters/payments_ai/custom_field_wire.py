"""Custom fields of the payments.ai API: requests and responses.

Source: docs/api/payments-ai.md, sections 4.1 and 4.2.
"""

from typing import Any, cast, get_args

from bridge.api_adapters.payments_ai.wire import (
    JSON,
    invalid,
    limits_of,
    render_page,
)
from bridge.errors import Detail, NotFound
from bridge.inbound import Request, Response
from bridge.models.custom_field import (
    Constraints,
    CustomField,
    CustomFieldDefined,
    Resource,
)
from bridge.models.page import Counted, OffsetPage
from bridge.models.text import utc_seconds


def read_key(request: Request) -> tuple[Resource, str]:
    """Resource and name in the path. Raises NotFound for an unknown resource."""
    if not (resource := _resource(request.path_parameters["resource"])):
        raise NotFound
    return resource, request.path_parameters["name"]


def _resource(text: str) -> Resource | None:
    return cast(Resource, text) if text in get_args(Resource) else None


def read_custom_fields_page(request: Request) -> tuple[Resource | None, OffsetPage]:
    """The resource, of the path or of the query, and the page. None means all resources.

    Raises NotFound for an unknown resource in the path, InvalidRequest.
    """
    query = request.last_query
    errors: list[Detail] = []
    limit, offset = limits_of(query, errors)
    if (in_path := request.path_parameters.get("resource")) is not None:
        if not (resource := _resource(in_path)):
            raise NotFound
    elif not (resource := _resource(query.get("resource", ""))) and query.get("resource"):
        errors.append(Detail("resource", f"must be one of {', '.join(get_args(Resource))}"))
    if errors:
        raise invalid(errors)
    return resource, OffsetPage(limit=limit, offset=offset)


def render_custom_field(request: Request, field: CustomField) -> Response:
    """200 with the custom field."""
    return Response(_custom_field(request, field), 200, JSON)


def render_defined(request: Request, defined: CustomFieldDefined) -> Response:
    """201 with a new custom field, 200 with a redefined one."""
    status = 201 if defined.is_new else 200
    return Response(_custom_field(request, defined.field), status, JSON)


def render_custom_fields(
    request: Request, page: OffsetPage, found: Counted[CustomField]
) -> Response:
    """A page of custom fields."""
    return render_page(page, [_custom_field(request, each) for each in found.records], found.total)


def _custom_field(request: Request, field: CustomField) -> dict[str, Any]:
    """A custom field. With a resource in the path, the schema is also at the top (P27)."""
    schema = field.constraints and _additional_schema(field.constraints)
    body: dict[str, Any] = {
        "name": field.name,
        "resource": field.resource,
        "description": field.description,
        "typeSchema": {"type": field.type, "additionalSchema": schema},
        "createdTime": utc_seconds(field.created_at),
        "updatedTime": utc_seconds(field.updated_at),
    }
    if "resource" in request.path_parameters:
        body |= {"type": field.type, "additionalSchema": schema}
    return body


def _additional_schema(constraints: Constraints) -> dict[str, Any]:
    given = {
        "required": constraints.required,
        "default": constraints.default,
        "allowedValues": constraints.allowed_values,
        "maxLength": constraints.max_length,
        "pattern": constraints.pattern,
    }
    return {name: value for name, value in given.items() if value is not None}
