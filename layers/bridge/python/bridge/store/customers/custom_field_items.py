"""Definitions of custom fields. All of one organization are in one partition.

Source: docs/data-model.md, sections 2.1 and 2.2.
"""

import json

import msgspec

from bridge.models.custom_field import CustomField
from bridge.models.model import json_of, values_of
from bridge.store import dynamodb, keys
from bridge.store.dynamodb import Item


class Taken(Exception):
    """The organization has a field of this name and resource. `field`: the stored one."""

    def __init__(self, field: CustomField) -> None:
        super().__init__(field.resource)
        self.field = field


def _item(field: CustomField) -> Item:
    """Constraints are stored as JSON text: a map would lose the order of the keys, and nulls."""
    item = values_of(field, "constraints")
    if field.constraints is not None:
        item["constraints"] = json_of(field.constraints)
    return item


def _field_from(item: Item) -> CustomField:
    constraints = {}
    if text := item.get("constraints"):
        constraints["constraints"] = json.loads(text)
    return msgspec.convert(item | constraints, CustomField)


def insert(organization_id: str, field: CustomField) -> None:
    """Write a new definition. Raises Taken, Throttled."""
    key = keys.custom_field(organization_id, field.resource, field.name)
    try:
        dynamodb.write(
            dynamodb.put(key, _item(field), dynamodb.condition("attribute_not_exists(#pk)"))
        )
    except dynamodb.ConditionFailed as failed:
        raise Taken(_field_from(failed.items["it"])) from failed


def replace(organization_id: str, field: CustomField) -> None:
    """Replace a definition by one of the same type. The last write wins. Raises Throttled."""
    dynamodb.write(
        dynamodb.put(keys.custom_field(organization_id, field.resource, field.name), _item(field))
    )


def get(organization_id: str, resource: str, name: str) -> CustomField | None:
    """Return one definition."""
    item = dynamodb.get(keys.custom_field(organization_id, resource, name))
    return _field_from(item) if item else None


def list_all(organization_id: str, resource: str | None = None) -> list[CustomField]:
    """List an organization's definitions by name, then by resource."""
    prefix = f"F#{resource}#" if resource else "F#"
    items = dynamodb.query_all("ledger", keys.custom_fields(organization_id), prefix)
    return sorted(map(_field_from, items), key=lambda field: (field.name, field.resource))
