"""GET /bridge-payment/addresses/{id}: read one address.

Source: docs/api/native.md, section 5.
"""

from bridge.api_adapters import native
from bridge.core.wallet import addresses
from bridge.inbound import Request, endpoint


@endpoint(native)
def handler(request: Request) -> object:
    """Return 200 with the address."""
    address = addresses.get_address(request.caller, native.read_id(request))
    return native.render_address(address)
