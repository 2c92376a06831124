"""Addresses as the native API shows them. Source: docs/api/native.md, section 5."""

from typing import Any

from bridge.api_adapters.native.wire import replayed
from bridge.inbound import Response
from bridge.models.address import Address, AddressResult
from bridge.models.text import utc_seconds


def render_address(address: Address) -> dict[str, Any]:
    """The full address object. Fields without a value are null."""
    return {
        "id": address.id,
        "customer_id": address.customer_id,
        "type": address.type,
        "name": address.name,
        "line1": address.line1,
        "line2": address.line2,
        "city": address.city,
        "state": address.state,
        "postal_code": address.postal_code,
        "country": address.country,
        "is_default": address.is_default,
        "created_at": utc_seconds(address.created_at),
        "updated_at": utc_seconds(address.updated_at),
    }


def render_new_address(result: AddressResult) -> Response:
    """201 with the address."""
    return Response(render_address(result.address), 201, replayed(result.replayed))


def render_addresses(addresses: list[Address]) -> list[dict[str, Any]]:
    """A list of full address objects."""
    return [render_address(address) for address in addresses]
