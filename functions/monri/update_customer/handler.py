"""POST /v2/customers/{uuid}: change the fields that are sent.

Source: docs/api/monri.md, section 5.4.
"""

from bridge.api_adapters.monri import bodies, wire
from bridge.core.customers import organization_customers
from bridge.inbound import Request, endpoint


@endpoint(wire)
def handler(request: Request) -> object:
    """Return 200 with the changed customer."""
    change = bodies.read_customer_change(request)
    customer_id = wire.read_id(request)
    customer = organization_customers.update(request.caller, customer_id, change, touches=True)
    return wire.render_customer(customer)
