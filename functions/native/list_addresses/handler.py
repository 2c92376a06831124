"""GET /bridge-payment/addresses: the caller's, an organization's or a customer's."""

from bridge.api_adapters import native
from bridge.core.wallet import addresses
from bridge.inbound import Request, endpoint


@endpoint(native)
def handler(request: Request) -> object:
    page = native.read_page(request)
    return native.render_addresses(addresses.list_addresses(request.caller, page))
