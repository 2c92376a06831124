"""GET /bridge-payment/customers: the caller's customers, or an organization's."""

from bridge.core import customers
from bridge.dialects import native
from bridge.inbound import Request, endpoint


@endpoint(native)
def handler(request: Request) -> object:
    page = native.read_customers_page(request)
    return native.render_customers(customers.list_customers(request.caller, page))
