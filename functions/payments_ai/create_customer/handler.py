"""POST …/organizations/{organization_id}/customers: create a customer."""

from bridge.api_adapters.payments_ai import customer_bodies, customer_wire, wire
from bridge.core.customers import custom_fields
from bridge.inbound import Request, Response, endpoint


@endpoint(wire)
def handler(request: Request) -> Response:
    run = wire.read_run(request)
    fields = customer_bodies.read_new_customer(request)
    result = custom_fields.create_customer(request.caller, fields, run)
    return customer_wire.render_new_customer(result)
