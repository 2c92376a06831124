"""DELETE /bridge-payment/addresses/{id}: delete an address.

Source: docs/api/native.md, section 5.
"""

from bridge.api_adapters.native import wire
from bridge.core.wallet import addresses
from bridge.inbound import Request, endpoint


@endpoint(wire, status=204)
def handler(request: Request) -> None:
    """Return 204; payment methods that used the address have none afterwards."""
    addresses.delete_address(request.caller, wire.read_id(request))
