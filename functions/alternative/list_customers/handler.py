"""GET /customers: newest first, by cursor, filtered by time and name."""

from bridge.api_adapters.alternative import wire
from bridge.core.customers import listing
from bridge.inbound import Request, endpoint


@endpoint(wire)
def handler(request: Request) -> object:
    page = wire.read_customers_page(request)
    found = listing.by_cursor(request.caller, page)
    return wire.render_customers(request, found)
