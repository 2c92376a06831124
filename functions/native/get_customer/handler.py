"""GET /bridge-payment/customers/{id}: read one customer.

Source: docs/api/native.md, section 3.
"""

from bridge.api_adapters.native import customer_wire, wire
from bridge.core.customers import user_customers
from bridge.inbound import Request, endpoint


@endpoint(wire)
def handler(request: Request) -> object:
    """Return 200 with the customer."""
    customer = user_customers.get_customer(request.caller, wire.read_id(request))
    return customer_wire.render_customer(customer)
