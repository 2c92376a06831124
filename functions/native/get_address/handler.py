"""GET /bridge-payment/addresses/{id}: one address."""

from bridge.api_adapters import native
from bridge.core.wallet import addresses
from bridge.inbound import Request, endpoint


@endpoint(native)
def handler(request: Request) -> object:
    address = addresses.get_address(request.caller, native.read_id(request))
    return native.render_address(address)
