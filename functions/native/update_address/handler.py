"""PUT /bridge-payment/addresses/{id}: change the fields that are sent.

Source: docs/api/native.md, section 5.
"""

from bridge.api_adapters.native import address_bodies, address_wire, wire
from bridge.core.wallet import addresses
from bridge.inbound import Request, endpoint


@endpoint(wire)
def handler(request: Request) -> object:
    """Return 200 with the changed address."""
    change = address_bodies.read_address_change(request)
    address = addresses.update_address(request.caller, wire.read_id(request), change)
    return address_wire.render_address(address)
