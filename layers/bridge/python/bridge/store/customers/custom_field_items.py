"""Definitions of custom fields, all of an organization's in one partition.

Source: contracts/payments-ai.md 4; design/data-model.md 2.
"""

import json

from bridge.models.custom_field import CustomField
from bridge.store import dynamodb, keys
from bridge.store.dynamodb import Item


class Taken(Exception):
    """The organization has a field of this name at this resource."""

    def __init__(self, field: CustomField) -> None:
        super().__init__(field.resource)
        self.field = field


def _item(field: CustomField) -> Item:
    """The constraints as their text: an attribute would forget what null is, and the order."""
    item = field.model_dump(exclude={"constraints"})
    if field.constraints is not None:
        item["constraints"] = field.constraints.model_dump_json(exclude_none=True)
    return item


def _field_from(item: Item) -> CustomField:
    constraints = {}
    if text := item.get("constraints"):
        constraints["constraints"] = json.loads(text)
    return CustomField.model_validate(item | constraints)


def insert(organization_id: str, field: CustomField) -> None:
    """Raises Taken, Congested."""
    key = keys.custom_field(organization_id, field.resource, field.name)
    try:
        dynamodb.write(
            dynamodb.put(key, _item(field), dynamodb.condition("attribute_not_exists(#pk)"))
        )
    except dynamodb.ConditionFailed as failed:
        raise Taken(_field_from(failed.items["it"])) from failed


def replace(organization_id: str, field: CustomField) -> None:
    """Write a definition over one of the same type; the last of several wins. Raises Congested."""
    dynamodb.write(
        dynamodb.put(keys.custom_field(organization_id, field.resource, field.name), _item(field))
    )


def get(organization_id: str, resource: str, name: str) -> CustomField | None:
    item = dynamodb.get(keys.custom_field(organization_id, resource, name))
    return _field_from(item) if item else None


def list_all(organization_id: str, resource: str | None = None) -> list[CustomField]:
    """By name, then by resource."""
    prefix = f"F#{resource}#" if resource else "F#"
    items = dynamodb.query_all("ledger", keys.custom_fields(organization_id), prefix)
    return sorted(map(_field_from, items), key=lambda field: (field.name, field.resource))
