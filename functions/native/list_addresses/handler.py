"""GET /bridge-payment/addresses: the caller's, an organization's or a customer's."""

from bridge.core import addresses
from bridge.dialects import native
from bridge.inbound import Request, endpoint


@endpoint(native)
def handler(request: Request) -> object:
    page = native.read_page(request)
    return native.render_addresses(addresses.list_addresses(request.caller, page))
