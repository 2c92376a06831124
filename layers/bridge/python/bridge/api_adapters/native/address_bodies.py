"""The bodies of requests about addresses. Source: docs/api/native.md, section 5."""

from bridge.api_adapters.native import bodies
from bridge.bodies.address import AddressChange, NewAddress
from bridge.inbound import Request


def read_new_address(request: Request) -> NewAddress:
    """An address to save. Raises InvalidRequest."""
    return bodies.without_cards(request, NewAddress)


def read_address_change(request: Request) -> AddressChange:
    """An address's changed fields. Raises InvalidRequest."""
    return bodies.without_cards(request, AddressChange)
