"""DELETE /bridge-payment/addresses/{id}: delete an address.

Source: docs/api/native.md, section 5.
"""

from bridge.api_adapters import native
from bridge.core.wallet import addresses
from bridge.inbound import Request, endpoint


@endpoint(native, status=204)
def handler(request: Request) -> None:
    """Return 204; payment methods that used the address have none afterwards."""
    addresses.delete_address(request.caller, native.read_id(request))
