"""The bodies of requests about custom fields. Source: docs/api/payments-ai.md, section 4."""

import unicodedata
from typing import Annotated, Any, cast, get_args

from pydantic import BaseModel, BeforeValidator

from bridge.api_adapters.payments_ai.bodies import BODY, an_object
from bridge.api_adapters.payments_ai.custom_field_wire import read_key
from bridge.api_adapters.payments_ai.wire import invalid
from bridge.bodies.validation import validated
from bridge.errors import Detail, InvalidRequest
from bridge.inbound import Request
from bridge.models.custom_field import Constraints, FieldType, NewCustomField, Resource

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
