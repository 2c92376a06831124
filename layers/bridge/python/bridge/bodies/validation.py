"""The validation of request bodies by pydantic.

Source: docs/api/native.md, section 1 (B2).
"""

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from bridge.errors import Detail, InvalidRequest
from bridge.inbound import Request

Body = TypeVar("Body", bound=BaseModel)


def validated(model: type[Body], values: dict[str, Any]) -> Body:
    """The values as a model.

    Raises InvalidRequest with the path of every invalid field, never with a value.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        details = [detail for each in error.errors() for detail in _details(each)]
        fields = ", ".join(dict.fromkeys(detail.field for detail in details))
        raise InvalidRequest(f"not valid: {fields}", details=details) from None


def _details(error: Any) -> list[Detail]:
    path = ".".join(str(part) for part in error["loc"])
    cause = error.get("ctx", {}).get("error")
    # `fields.ValidationErrors` has several errors below one field.
    if isinstance(errors := getattr(cause, "errors", None), list):
        return [Detail(".".join(filter(None, (path, below))), text) for below, text in errors]
    if error["type"] == "missing":
        return [Detail(path, "is required")]
    return [Detail(path, str(cause) if cause else error["msg"])]


def parse(request: Request, model: type[Body]) -> Body:
    """The body of a request. A null counts as not given (B2).

    Raises InvalidRequest with the path of every invalid field, never with a value.
    """
    return validated(model, _without_nulls(request.json))


def parse_optional(request: Request, model: type[Body]) -> Body:
    """The same, but an empty body counts as an empty object. Raises InvalidRequest."""
    return parse(request, model) if request.body.strip() else model()


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    return value
