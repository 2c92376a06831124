"""GET /v2/customers: list the merchant's customers, newest first, without deleted ones.

Source: docs/api/monri.md, section 5.6.
"""

from bridge.api_adapters import monri
from bridge.core.customers import listing
from bridge.inbound import Request, endpoint


@endpoint(monri)
def handler(request: Request) -> object:
    """Return 200 with a page of customers."""
    page = monri.read_page(request)
    return monri.render_customers(listing.by_offset(request.caller, page))
