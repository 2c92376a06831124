"""Custom fields: an organization's definitions, and customers whose values are checked by them.

Source: docs/api/payments-ai.md, section 4.
"""

from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import asdict, replace

from bridge import clock
from bridge.core.customers import custom_field_values, organization_customers
from bridge.core.rules import access
from bridge.errors import BodyTooLarge, Conflict, Detail, InvalidRequest, NotFound
from bridge.models.caller import Caller
from bridge.models.custom_field import (
    CustomField,
    CustomFieldDefined,
    NewCustomField,
    Resource,
)
from bridge.models.customer import Customer, CustomerFields, CustomerResult
from bridge.models.model import json_of
from bridge.models.page import Counted, OffsetPage
from bridge.models.run_context import RunContext
from bridge.models.text import METADATA_BYTES, compact
from bridge.store.customers import custom_field_items

LARGEST = 300 * 1024  # bytes of a definition; a DynamoDB item has at most 400 KB


def define(caller: Caller, new: NewCustomField) -> CustomFieldDefined:
    """Create a definition, or replace one. Values that customers have are not checked again.

    Raises InvalidRequest, BodyTooLarge, Conflict `custom_field_type_fixed`.
    """
    organization_id = access.organization_of(caller)
    _check(new)
    now = clock.now()
    field = CustomField(**asdict(new), created_at=now, updated_at=now)
    try:
        custom_field_items.insert(organization_id, field)
        return CustomFieldDefined(field=field, is_new=True)
    except custom_field_items.Taken as taken:
        stored = taken.field
    if stored.type != field.type:
        message = "the type of a custom field cannot be changed"
        raise Conflict(message, code="custom_field_type_fixed")
    field = replace(field, created_at=stored.created_at)
    custom_field_items.replace(organization_id, field)
    return CustomFieldDefined(field=field, is_new=False)


def _check(new: NewCustomField) -> None:
    """Raises InvalidRequest for constraints that do not fit the type, BodyTooLarge."""
    if new.constraints is None:
        return
    if len(json_of(new.constraints).encode()) > LARGEST:
        raise BodyTooLarge(f"a custom field must have at most {LARGEST} bytes")
    errors = [
        Detail(f"constraints.{name}", f"not allowed for {new.type}")
        for name, types in custom_field_values.CONSTRAINT_TYPES.items()
        if getattr(new.constraints, name) is not None and new.type not in types
    ]
    pattern, default = new.constraints.pattern, new.constraints.default
    if pattern is not None and not custom_field_values.is_pattern(pattern):
        errors.append(Detail("constraints.pattern", "must be a regular expression"))
    if not errors and default is not None and (error := custom_field_values.error_of(new, default)):
        errors.append(Detail("constraints.default", error))
    _raise_invalid(errors)


def _raise_invalid(errors: list[Detail]) -> None:
    """Raises InvalidRequest if there are errors."""
    if errors:
        names = ", ".join(error.field for error in errors)
        raise InvalidRequest(f"not valid: {names}", details=errors)


def get(caller: Caller, resource: Resource, name: str) -> CustomField:
    """Return one definition. Raises NotFound."""
    field = custom_field_items.get(access.organization_of(caller), resource, name)
    if field is None:
        raise NotFound
    return field


def list_page(caller: Caller, resource: Resource | None, page: OffsetPage) -> Counted[CustomField]:
    """List definitions by name, of one resource or of all."""
    fields = custom_field_items.list_all(access.organization_of(caller), resource)
    return Counted(fields[page.offset : page.offset + page.limit], len(fields))


def create_customer(caller: Caller, fields: CustomerFields, run: RunContext) -> CustomerResult:
    """Create a customer with checked custom fields. A missing field gets its default.

    A replay is answered first: its values are not checked against newer definitions (P29).
    Raises InvalidRequest, and what organization_customers.create raises.
    """
    if result := organization_customers.find_replay(caller, run):
        return result
    definitions = custom_field_items.list_all(access.organization_of(caller), "customers")
    defaults = {
        each.name: each.constraints.default
        for each in definitions
        if each.constraints and each.constraints.default is not None
    }
    values = _validated(definitions, defaults | fields.get("custom_fields", {}), {})
    checked: CustomerFields = {**fields, "custom_fields": values}
    return organization_customers.create(caller, checked, "if_free", run)


def update_customer(
    caller: Caller, customer_id: str, read: Callable[[], CustomerFields]
) -> Customer:
    """Change a customer, and check its custom fields if they were sent.

    `read` reads the request. It is called after the customer is found, because a 404 comes before
    errors of the body.
    Raises InvalidRequest, and what organization_customers.update and `read` raise.
    """
    organization_id = access.organization_of(caller)

    def plan(seen: Customer) -> CustomerFields:
        fields = read()
        if "custom_fields" not in fields:
            return fields
        definitions = custom_field_items.list_all(organization_id, "customers")
        values = _validated(definitions, fields["custom_fields"], seen.custom_fields)
        return {**fields, "custom_fields": values}

    return organization_customers.update(caller, customer_id, plan)


def _validated(
    definitions: Iterable[CustomField], given: dict[str, Any], stored: dict[str, Any]
) -> dict[str, Any]:
    """Return the values without nulls. A value that equals the stored one is not checked again.

    Raises InvalidRequest, which names every invalid value and every missing one.
    """
    known = {each.name: each for each in definitions}
    values = {name: value for name, value in given.items() if value is not None}
    errors = [
        Detail(f"custom_fields.{name}", error)
        for name, value in given.items()
        if not _is_stored(name, value, stored) and (error := _error_of(known.get(name), value))
    ]
    errors += [
        Detail(f"custom_fields.{name}", "is required")
        for name, each in known.items()
        if each.constraints and each.constraints.required and name not in values
    ]
    if not errors and len(compact(values).encode()) > METADATA_BYTES:
        errors.append(Detail("custom_fields", f"must be at most {METADATA_BYTES} bytes as JSON"))
    _raise_invalid(errors)
    return values


def _is_stored(name: str, value: object, stored: dict[str, Any]) -> bool:
    """Compares JSON texts, because 1 == True in Python."""
    return name in stored and compact(stored[name]) == compact(value)


def _error_of(field: CustomField | None, value: object) -> str | None:
    if field is None:
        return "is not defined"
    return None if value is None else custom_field_values.error_of(field, value)
