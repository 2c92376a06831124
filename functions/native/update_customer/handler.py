"""PUT /bridge-payment/customers/{id}: change the fields that are sent.

Source: docs/api/native.md, section 3.
"""

from bridge.api_adapters.native import customer_bodies, customer_wire, wire
from bridge.core.customers import user_customers
from bridge.inbound import Request, endpoint


@endpoint(wire)
def handler(request: Request) -> object:
    """Return 200 with the changed customer. The provider is updated first."""
    change = customer_bodies.read_customer_change(request)
    customer_id = wire.read_id(request)
    customer = user_customers.update_customer(request.caller, customer_id, change, request.run)
    return customer_wire.render_customer(customer)
