"""POST /bridge-payment/customers: create a customer for a user or a guest.

Source: docs/api/native.md, section 3.
"""

from bridge.api_adapters.native import customer_bodies, customer_wire, wire
from bridge.core.customers import user_customers
from bridge.inbound import Request, Response, endpoint


@endpoint(wire, guests=True)
def handler(request: Request) -> Response:
    """Return 201 with the new customer; a guest also gets a guest token (B8)."""
    new = customer_bodies.read_new_customer(request)
    result = user_customers.create_customer(request.caller, new, request.run)
    return customer_wire.render_new_customer(result)
