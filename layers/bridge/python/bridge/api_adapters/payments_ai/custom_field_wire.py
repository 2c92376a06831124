"""Custom fields of the payments.ai API: requests and responses.

Source: docs/api/payments-ai.md, sections 4.1 and 4.2.
"""

import unicodedata
from typing import Annotated, Any, cast, get_args

from pydantic import BaseModel, BeforeValidator

from bridge.api_adapters.payments_ai.wire import (
    BODY,
    JSON,
    an_object,
    invalid,
    limits_of,
    render_page,
)
from bridge.bodies import validated
from bridge.errors import Detail, InvalidRequest, NotFound
from bridge.inbound import Request, Response
from bridge.models.custom_field import (
    Constraints,
    CustomField,
    CustomFieldDefined,
    FieldType,
    NewCustomField,
    Resource,
)
from bridge.models.page import Counted, OffsetPage
from bridge.models.text import utc_seconds

NAME, DESCRIPTION, MOST_LENGTH, PATTERN = 255, 255, 4000, 1000


def _required(value: object) -> object:
    if value is None:
        raise ValueError("is required")
    return value


def _name(value: object) -> object:
    if not isinstance(_required(value), str):
        raise ValueError("must be a string")
    name = cast(str, value)
    if not 1 <= len(name) <= NAME:
        raise ValueError(f"must be 1 to {NAME} characters")
    if "/" in name or any(unicodedata.category(each) == "Cc" for each in name):
        raise ValueError("must not hold control characters or a slash")
    return name


def _description(value: object) -> object:
    if not isinstance(_required(value), str):
        raise ValueError("must be a string")
    if len(cast(str, value)) > DESCRIPTION:
        raise ValueError(f"must be at most {DESCRIPTION} characters")
    return value


def _one_of(*choices: str) -> BeforeValidator:
    def check(value: object) -> object:
        if _required(value) not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return value

    return BeforeValidator(check)


def _flag(value: object) -> object:
    if value is not None and not isinstance(value, bool):
        raise ValueError("must be a boolean")
    return value


def _texts(value: object) -> object:
    texts = isinstance(value, list) and all(isinstance(each, str) for each in value)
    if value is not None and not texts:
        raise ValueError("must be an array of strings")
    return value


def _length(value: object) -> object:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if value is not None and not (is_whole and 1 <= cast(int, value) <= MOST_LENGTH):
        raise ValueError(f"must be an integer between 1 and {MOST_LENGTH}")
    return value


def _pattern(value: object) -> object:
    if value is not None and not isinstance(value, str):
        raise ValueError("must be a string")
    if isinstance(value, str) and len(value) > PATTERN:
        raise ValueError(f"must be at most {PATTERN} characters")
    return value


class AdditionalSchema(BaseModel):
    """What a field's values must obey besides their type. A null counts as absent."""

    model_config = BODY
    required: Annotated[bool | None, BeforeValidator(_flag)] = None
    default: Any = None
    allowed_values: Annotated[list[str] | None, BeforeValidator(_texts)] = None
    max_length: Annotated[int | None, BeforeValidator(_length)] = None
    pattern: Annotated[str | None, BeforeValidator(_pattern)] = None


class TypeSchema(BaseModel):
    """A field's type and its further rules."""

    model_config = BODY
    type: Annotated[FieldType, _one_of(*get_args(FieldType))]
    additional_schema: Annotated[AdditionalSchema | None, BeforeValidator(an_object)] = None


class CustomFieldBody(BaseModel):
    """The body of a definition. Errors come in the order of these fields."""

    model_config = BODY
    name: Annotated[str, BeforeValidator(_name)]
    resource: Annotated[Resource, _one_of(*get_args(Resource))]
    description: Annotated[str, BeforeValidator(_description)]
    type_schema: Annotated[TypeSchema, BeforeValidator(_required), BeforeValidator(an_object)]


def read_new_custom_field(request: Request) -> NewCustomField:
    """The definition in the body. Raises InvalidRequest."""
    return _new(request.json)


def read_custom_field_of_path(request: Request) -> NewCustomField:
    """The definition in the SDK's form (P27).

    Resource and name are in the path, the two parts of the schema at the top of the body.
    Raises NotFound for an unknown resource, InvalidRequest.
    """
    resource, name = read_key(request)
    body = request.json
    schema = {each: body[each] for each in ("type", "additionalSchema") if each in body}
    description = body.get("description")
    given = {"name": name, "resource": resource, "typeSchema": schema}
    try:
        return _new(given | {"description": "" if description is None else description})
    except InvalidRequest as error:
        details = [Detail(f.removeprefix("typeSchema."), text) for f, text in error.details]
        raise invalid(details) from None


def _new(body: dict[str, Any]) -> NewCustomField:
    read = validated(CustomFieldBody, body)
    schema = read.type_schema.additional_schema
    return NewCustomField(
        name=read.name,
        resource=read.resource,
        description=read.description,
        type=read.type_schema.type,
        constraints=Constraints(**dict(schema)) if schema else None,
    )


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
