"""POST /bridge-payment/addresses: keep an address of a customer."""

from bridge.api_adapters import native
from bridge.core.wallet import addresses
from bridge.inbound import Answer, Request, endpoint


@endpoint(native)
def handler(request: Request) -> Answer:
    new = native.read_new_address(request)
    answered = addresses.create_address(request.caller, new, request.call)
    return native.render_new_address(answered)
