"""PUT /bridge-payment/addresses/{id}: change the fields that are sent.

Source: docs/api/native.md, section 5.
"""

from bridge.api_adapters import native
from bridge.core.wallet import addresses
from bridge.inbound import Request, endpoint


@endpoint(native)
def handler(request: Request) -> object:
    """Return 200 with the changed address."""
    change = native.read_address_change(request)
    address = addresses.update_address(request.caller, native.read_id(request), change)
    return native.render_address(address)
