"""GET /bridge-payment/customers: list the caller's customers, or an organization's.

Source: docs/api/native.md, section 3.
"""

from bridge.api_adapters import native
from bridge.core.customers import user_customers
from bridge.inbound import Request, endpoint


@endpoint(native)
def handler(request: Request) -> object:
    """Return 200 with an array, newest first."""
    page = native.read_customers_page(request)
    return native.render_customers(user_customers.list_customers(request.caller, page))
