"""The base of everything that is stored, queued or passed from one function to another.

Such a value is a frozen struct of msgspec. Its types are checked where it is read: from an item, a
message, a stored response. What requests contain is described in `bridge.bodies` instead, because
pydantic tells a caller every field at fault, and takes as long to load as a client of DynamoDB.
Source: docs/decisions.md, section 112.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cache
from typing import Annotated, Any, TypeVar, get_type_hints

import msgspec

from bridge.models.field_rules import FieldRule
from bridge.models.text import compact

PRIVATE = object()
"""Marks a field of a model without field rules whose value must not be in a `repr`."""

Time = Annotated[datetime, msgspec.Meta(tz=True)]


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """The base class. A `repr` leaves out personal data and secrets, so no log can have them."""

    def __repr__(self) -> str:
        hidden = _marked(type(self), _is_hidden)
        names = (name for name in self.__struct_fields__ if name not in hidden)
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__name__}({fields})"


Checked = TypeVar("Checked", bound=Model)


def checked(model: Checked) -> Checked:
    """The model, whose values came from outside: from a provider, or from a token.

    A constructor checks no types. Models inside of it were checked when they were made. Raises
    msgspec.ValidationError, which is a ValueError.
    """
    return msgspec.convert(msgspec.structs.asdict(model), type(model))


def values_of(model: Model, *omitted: str) -> dict[str, Any]:
    """The fields by name, without its own secrets. Times stay times; models inside become dicts."""
    return _without(model, omitted, msgspec.to_builtins(model, builtin_types=(datetime,)))


def present_values_of(model: Model, *omitted: str) -> dict[str, Any]:
    """The same without the fields that are None."""
    values = values_of(model, *omitted)
    return {name: value for name, value in values.items() if value is not None}


def json_values_of(model: Model, *omitted: str) -> dict[str, Any]:
    """The fields by name as JSON has them, without its own secrets: times are RFC 3339 texts."""
    return _without(model, omitted, msgspec.to_builtins(model))


def _without(model: Model, omitted: Iterable[str], values: dict[str, Any]) -> dict[str, Any]:
    left_out = {*omitted, *_marked(type(model), _is_secret)}
    return {name: value for name, value in values.items() if name not in left_out}


def json_of(model: Model) -> str:
    """The fields as JSON text, without its own secrets."""
    return compact(json_values_of(model))


def default_of(model: type[Model], name: str) -> object:
    """The value of a field that was not given. Raises TypeError if the field has no default."""
    for field in msgspec.structs.fields(model):
        if field.name == name and field.default is not msgspec.NODEFAULT:
            return field.default
        if field.name == name and field.default_factory is not msgspec.NODEFAULT:
            return field.default_factory()
    raise TypeError(f"{model.__name__}.{name} has no default")


@cache
def _marked(model: type[Model], is_meant: Callable[[object], bool]) -> frozenset[str]:
    """The names of the fields with a mark in their `Annotated` that is meant."""
    annotations = get_type_hints(model, include_extras=True)
    marks = {name: getattr(annotations[name], "__metadata__", ()) for name in annotations}
    return frozenset(name for name in marks if any(map(is_meant, marks[name])))


def _is_secret(mark: object) -> bool:
    return isinstance(mark, FieldRule) and mark.is_secret


def _is_hidden(mark: object) -> bool:
    is_personal = isinstance(mark, FieldRule) and mark.is_personal
    return mark is PRIVATE or is_personal or _is_secret(mark)
