"""What the tests of payments.ai's custom fields share: a field, and requests in both forms."""

from datetime import UTC, datetime
from typing import Any

from bridge.inbound import Request
from bridge.models.custom_field import Constraints, CustomField
from tests.api_adapters.conftest import request_of

AT = datetime(2026, 3, 2, tzinfo=UTC)
TIER: dict[str, Any] = {
    "name": "loyaltyTier",
    "resource": "customers",
    "description": "Shop loyalty level",
    "typeSchema": {
        "type": "string",
        "additionalSchema": {"allowedValues": ["bronze", "silver"], "maxLength": 20},
    },
}
FIELD = CustomField(
    name="loyaltyTier",
    resource="customers",
    description="Shop loyalty level",
    type="string",
    constraints=Constraints(allowed_values=["bronze", "silver"], max_length=20),
    created_at=AT,
    updated_at=AT,
)


def definition(body: dict[str, Any]) -> Request:
    return request_of(method="POST", body=body)


def of_path(body: dict[str, Any], resource: str = "customers") -> Request:
    """A request in the SDK's form."""
    parameters = {"resource": resource, "name": "loyaltyTier"}
    return request_of(method="PUT", body=body, path_parameters=parameters)
