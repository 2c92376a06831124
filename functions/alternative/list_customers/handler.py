"""GET /customers: newest first, by cursor, filtered by time and name."""

from bridge.api_adapters import alternative
from bridge.core.customers import listing
from bridge.inbound import Request, endpoint


@endpoint(alternative)
def handler(request: Request) -> object:
    page = alternative.read_customers_page(request)
    found = listing.by_cursor(request.caller, page)
    return alternative.render_customers(request, found)
