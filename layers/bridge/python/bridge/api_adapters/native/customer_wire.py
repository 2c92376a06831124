"""Customers as the native API shows them. Source: docs/api/native.md, section 3."""

from typing import Any

from bridge.api_adapters.native.wire import replayed
from bridge.authentication import guest_tokens
from bridge.inbound import Response
from bridge.models.customer import Customer, CustomerResult
from bridge.models.text import utc_seconds


def render_customer(customer: Customer) -> dict[str, Any]:
    """The full customer object. Fields without a value are null."""
    return {
        "id": customer.id,
        "user_id": customer.user_id,
        "organization_id": customer.organization_id,
        "provider_id": customer.provider_id,
        "provider_customer_id": customer.provider_customer_id,
        "email": customer.email,
        "name": customer.name,
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "phone": customer.phone,
        "is_guest": customer.is_guest,
        "guest_email": customer.email if customer.is_guest else None,
        "metadata": customer.metadata,
        "created_at": utc_seconds(customer.created_at),
        "updated_at": utc_seconds(customer.updated_at),
    }


def render_new_customer(result: CustomerResult) -> Response:
    """201 with the customer. A guest also gets the token of the record (B8)."""
    body = render_customer(result.customer)
    if result.customer.is_guest:
        body["guest_token"] = guest_tokens.issue(result.customer.id)
    return Response(body, 201, replayed(result.replayed))


def render_customers(customers: list[Customer]) -> list[dict[str, Any]]:
    """A list of full customer objects."""
    return [render_customer(customer) for customer in customers]
