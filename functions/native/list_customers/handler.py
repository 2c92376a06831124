"""GET /bridge-payment/customers: list the caller's customers, or an organization's.

Source: docs/api/native.md, section 3.
"""

from bridge.api_adapters.native import customer_wire, wire
from bridge.core.customers import user_customers
from bridge.inbound import Request, endpoint


@endpoint(wire)
def handler(request: Request) -> object:
    """Return 200 with an array, newest first."""
    page = wire.read_customers_page(request)
    return customer_wire.render_customers(user_customers.list_customers(request.caller, page))
