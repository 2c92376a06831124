"""Checks the values of custom fields. Source: docs/api/payments-ai.md, section 4.3."""

import re
from collections.abc import Callable
from datetime import date, datetime
from functools import lru_cache
from typing import Any, cast

from pydantic_core import SchemaError, SchemaValidator, ValidationError, core_schema

from bridge.models.custom_field import Constraints, FieldType, NewCustomField

LONGEST_TEXT, MOST_TEXTS, INTEGERS = 255, 1000, 2**31
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
DATETIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})"
)
CURRENCY = re.compile(r"[A-Z]{3}")

# The types that each of these constraints may be used with.
CONSTRAINT_TYPES: dict[str, frozenset[FieldType]] = {
    "allowed_values": frozenset({"string", "array"}),
    "max_length": frozenset({"string"}),
    "pattern": frozenset({"string"}),
}


def is_pattern(pattern: str) -> bool:
    """Whether a text is a valid regular expression.

    It is tried alone and inside our group: `a)|(?:b` is valid only inside the group.
    """
    try:
        _compiled(pattern)
        _compiled(_whole(pattern))
    except SchemaError:
        return False
    return True


def _whole(pattern: str) -> str:
    return rf"\A(?:{pattern})\z"


@lru_cache(16)  # a compiled pattern may take up to 10 MB of memory
def _compiled(pattern: str) -> SchemaValidator:
    """Compile with pydantic's engine, Rust's regex. Its time is linear for any pattern."""
    return SchemaValidator(core_schema.str_schema(pattern=pattern))


def error_of(field: NewCustomField, value: object) -> str | None:
    """Return what is wrong with a value, or None if it fits the field."""
    if not CHECKS[field.type](value):
        return f"must be a {field.type}"
    constraints = field.constraints or Constraints()
    if field.type == "string":
        return _text_error(cast(str, value), constraints)
    if field.type == "array":
        return _texts_error(cast(list[str], value), constraints)
    return None


def _text_error(value: str, constraints: Constraints) -> str | None:
    most = constraints.max_length or LONGEST_TEXT
    if len(value) > most:
        return f"must be at most {most} characters"
    if constraints.allowed_values is not None and value not in constraints.allowed_values:
        return "must be one of the allowed values"
    if constraints.pattern is not None and not _matches(constraints.pattern, value):
        return "must match the pattern"
    return None


def _texts_error(value: list[str], constraints: Constraints) -> str | None:
    if len(value) > MOST_TEXTS:
        return f"must have at most {MOST_TEXTS} values"
    if any(len(each) > LONGEST_TEXT for each in value):
        return f"values must be at most {LONGEST_TEXT} characters"
    if constraints.allowed_values is not None and not set(value) <= set(constraints.allowed_values):
        return "must hold allowed values only"
    return None


def _matches(pattern: str, value: str) -> bool:
    try:
        _compiled(_whole(pattern)).validate_python(value)
    except ValidationError:
        return False
    return True


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: object) -> bool:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return whole and -INTEGERS <= cast(int, value) < INTEGERS


def _is_date(value: object) -> bool:
    return isinstance(value, str) and bool(DATE.fullmatch(value)) and _exists(date, value)


def _is_datetime(value: object) -> bool:
    text = value.upper() if isinstance(value, str) else ""
    return bool(DATETIME.fullmatch(text)) and _exists(datetime, text)


def _exists(kind: type[date], text: str) -> bool:
    try:
        kind.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_monetary(value: object) -> bool:
    if not isinstance(value, dict) or value.keys() != {"currency", "amount"}:
        return False
    currency = value["currency"]
    is_code = isinstance(currency, str) and bool(CURRENCY.fullmatch(currency))
    return is_code and _is_number(value["amount"])


def _is_array(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


CHECKS: dict[FieldType, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "number": _is_number,
    "integer": _is_integer,
    "boolean": lambda value: isinstance(value, bool),
    "date": _is_date,
    "datetime": _is_datetime,
    "monetary": _is_monetary,
    "array": _is_array,
}
