"""GET /customers/{id}: one customer, also an archived one."""

from bridge.api_adapters.alternative import wire
from bridge.core.customers import organization_customers
from bridge.inbound import Request, endpoint


@endpoint(wire)
def handler(request: Request) -> object:
    customer_id = wire.read_id(request)
    customer = organization_customers.get(request.caller, customer_id)
    return wire.render_customer(customer)
