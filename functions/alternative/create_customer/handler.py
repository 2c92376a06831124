"""POST /customers: create a customer."""

from bridge.api_adapters.alternative import bodies, wire
from bridge.core.customers import organization_customers
from bridge.inbound import Request, endpoint


@endpoint(wire, status=201)
def handler(request: Request) -> object:
    fields = bodies.read_new_customer(request)
    run = wire.read_run(request)
    result = organization_customers.create(request.caller, fields, "if_free", run)
    return wire.render_customer(result.customer)
