"""GET /v2/customers: the merchant's living customers, newest first."""

from bridge.api_adapters import monri
from bridge.core.customers import listing
from bridge.inbound import Request, endpoint


@endpoint(monri)
def handler(request: Request) -> object:
    page = monri.read_page(request)
    return monri.render_customers(listing.by_offset(request.caller, page))
