"""DELETE /customers/{id}: archive a customer. It leaves all lists and stays readable."""

from bridge.api_adapters.alternative import wire
from bridge.core.customers import organization_customers
from bridge.inbound import Request, endpoint


@endpoint(wire)
def handler(request: Request) -> object:
    customer_id = wire.read_id(request)
    customer = organization_customers.delete(request.caller, customer_id)
    return wire.render_customer(customer)
