"""GET /customers: newest first, by cursor, filtered by time and name."""

from bridge.core import customer_lists
from bridge.dialects import alternative
from bridge.inbound import Request, endpoint


@endpoint(alternative)
def handler(request: Request) -> object:
    page = alternative.read_customers_page(request)
    found = customer_lists.by_cursor(request.caller, page)
    return alternative.render_customers(request, found)
