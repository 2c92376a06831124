"""PUT /bridge-payment/addresses/{id}: change what is sent, leave the rest."""

from bridge.api_adapters import native
from bridge.core.wallet import addresses
from bridge.inbound import Request, endpoint


@endpoint(native)
def handler(request: Request) -> object:
    change = native.read_address_change(request)
    address = addresses.update_address(request.caller, native.read_id(request), change)
    return native.render_address(address)
