"""Custom fields: fields that an organization defines for its records.

Source: docs/api/payments-ai.md, section 4.
"""

from typing import Any, Literal

from bridge.models.model import Model, Time

Resource = Literal[
    "customers",
    "payment-instruments",
    "plans",
    "products",
    "subscriptions",
    "transactions",
    "websites",
]
FieldType = Literal[
    "string", "number", "integer", "boolean", "date", "datetime", "monetary", "array"
]


class Constraints(Model, frozen=True, kw_only=True):
    """Limits of a value beyond its type; None means no limit. `pattern` matches the whole text."""

    required: bool | None = None
    default: Any = None
    allowed_values: list[str] | None = None
    max_length: int | None = None
    pattern: str | None = None


class NewCustomField(Model, frozen=True, kw_only=True):
    """The request to define a field. Resource and name are its key; its type cannot change."""

    name: str
    resource: Resource
    description: str
    type: FieldType
    constraints: Constraints | None = None


class CustomField(NewCustomField, frozen=True, kw_only=True):
    """A stored definition of a field."""

    created_at: Time
    updated_at: Time


class CustomFieldDefined(Model, frozen=True, kw_only=True):
    """The result of a definition. `is_new`: the field did not exist before."""

    field: CustomField
    is_new: bool
