"""GET /v2/customers: the merchant's living customers, newest first."""

from bridge.core import customer_lists
from bridge.dialects import monri
from bridge.inbound import Request, endpoint


@endpoint(monri)
def handler(request: Request) -> object:
    page = monri.read_page(request)
    return monri.render_customers(customer_lists.by_offset(request.caller, page))
