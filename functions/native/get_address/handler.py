"""GET /bridge-payment/addresses/{id}: read one address.

Source: docs/api/native.md, section 5.
"""

from bridge.api_adapters.native import address_wire, wire
from bridge.core.wallet import addresses
from bridge.inbound import Request, endpoint


@endpoint(wire)
def handler(request: Request) -> object:
    """Return 200 with the address."""
    address = addresses.get_address(request.caller, wire.read_id(request))
    return address_wire.render_address(address)
