"""Custom fields: what an organization's records may hold beside our own fields.

Source: contracts/payments-ai.md section 4.
"""

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel

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


class Constraints(BaseModel, frozen=True):
    """What a value must be beyond its type; None is no constraint. `pattern`: of the whole text."""

    required: bool | None = None
    default: Any = None
    allowed_values: list[str] | None = None
    max_length: int | None = None
    pattern: str | None = None


class NewCustomField(BaseModel, frozen=True):
    """What an organization asks for. Resource and name are the key; the type is for good."""

    name: str
    resource: Resource
    description: str
    type: FieldType
    constraints: Constraints | None = None


class CustomField(NewCustomField, frozen=True):
    """The same, as stored."""

    created_at: AwareDatetime
    updated_at: AwareDatetime


class CustomFieldDefined(BaseModel, frozen=True):
    """A definition as it is now, and whether it was there before."""

    field: CustomField
    is_new: bool
