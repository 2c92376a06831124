"""GET /bridge-payment/customers/{id}: read one customer.

Source: docs/api/native.md, section 3.
"""

from bridge.api_adapters import native
from bridge.core.customers import user_customers
from bridge.inbound import Request, endpoint


@endpoint(native)
def handler(request: Request) -> object:
    """Return 200 with the customer."""
    customer = user_customers.get_customer(request.caller, native.read_id(request))
    return native.render_customer(customer)
