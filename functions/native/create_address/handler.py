"""POST /bridge-payment/addresses: save an address of a customer.

Source: docs/api/native.md, section 5.
"""

from bridge.api_adapters import native
from bridge.core.wallet import addresses
from bridge.inbound import Request, Response, endpoint


@endpoint(native)
def handler(request: Request) -> Response:
    """Return 201 with the new address."""
    new = native.read_new_address(request)
    result = addresses.create_address(request.caller, new, request.run)
    return native.render_new_address(result)
