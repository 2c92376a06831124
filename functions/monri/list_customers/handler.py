"""GET /v2/customers: list the merchant's customers, newest first, without deleted ones.

Source: docs/api/monri.md, section 5.6.
"""

from bridge.api_adapters.monri import wire
from bridge.core.customers import listing
from bridge.inbound import Request, endpoint


@endpoint(wire)
def handler(request: Request) -> object:
    """Return 200 with a page of customers."""
    page = wire.read_page(request)
    return wire.render_customers(listing.by_offset(request.caller, page))
