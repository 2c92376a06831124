"""GET …/organizations/{organization_id}/customers/{id}: one customer, also a deleted one."""

from bridge.api_adapters.payments_ai import customer_wire, wire
from bridge.core.customers import organization_customers
from bridge.inbound import Request, Response, endpoint


@endpoint(wire)
def handler(request: Request) -> Response:
    customer = organization_customers.get(request.caller, wire.read_customer_id(request))
    return customer_wire.render_customer(customer)
