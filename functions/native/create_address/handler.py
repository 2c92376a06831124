"""POST /bridge-payment/addresses: save an address of a customer.

Source: docs/api/native.md, section 5.
"""

from bridge.api_adapters.native import address_bodies, address_wire, wire
from bridge.core.wallet import addresses
from bridge.inbound import Request, Response, endpoint


@endpoint(wire)
def handler(request: Request) -> Response:
    """Return 201 with the new address."""
    new = address_bodies.read_new_address(request)
    result = addresses.create_address(request.caller, new, request.run)
    return address_wire.render_new_address(result)
