"""POST /bridge-payment/addresses: keep an address of a customer."""

from bridge.core import addresses
from bridge.dialects import native
from bridge.inbound import Answer, Request, endpoint


@endpoint(native)
def handler(request: Request) -> Answer:
    new = native.read_new_address(request)
    answered = addresses.create_address(request.caller, new, request.call)
    return native.render_new_address(answered)
