"""Settings of an organization. Source: design/data-model.md 2."""

from bridge.store import keys, table


def cascades_payments(organization_id: str) -> bool:
    """Whether the payments of a customer that is deleted go with it."""
    item = table.get(keys.organization_settings(organization_id)) or {}
    return bool(item.get("cascade_payments"))
