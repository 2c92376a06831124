"""GET /bridge-payment/addresses/{id}: one address."""

from bridge.core import addresses
from bridge.dialects import native
from bridge.inbound import Request, endpoint


@endpoint(native)
def handler(request: Request) -> object:
    address = addresses.get_address(request.caller, native.read_id(request))
    return native.render_address(address)
