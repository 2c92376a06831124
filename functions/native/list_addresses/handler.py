"""GET /bridge-payment/addresses: list the caller's, an organization's or a customer's.

Source: docs/api/native.md, section 5.
"""

from bridge.api_adapters.native import address_wire, wire
from bridge.core.wallet import addresses
from bridge.inbound import Request, endpoint


@endpoint(wire)
def handler(request: Request) -> object:
    """Return 200 with an array, newest first."""
    page = wire.read_page(request)
    return address_wire.render_addresses(addresses.list_addresses(request.caller, page))
