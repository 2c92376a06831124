"""GET /v2/customers/{uuid}: read one customer, also a deleted one.

Source: docs/api/monri.md, section 5.2.
"""

from bridge.api_adapters.monri import wire
from bridge.core.customers import organization_customers
from bridge.inbound import Request, endpoint


@endpoint(wire)
def handler(request: Request) -> object:
    """Return 200 with the customer."""
    customer = organization_customers.get(request.caller, wire.read_id(request))
    return wire.render_customer(customer)
