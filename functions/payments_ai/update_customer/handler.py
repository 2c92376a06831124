"""PUT …/organizations/{organization_id}/customers/{id}: change the fields that were sent."""

from bridge.api_adapters.payments_ai import customer_bodies, customer_wire, wire
from bridge.core.customers import custom_fields
from bridge.inbound import Request, Response, endpoint


@endpoint(wire)
def handler(request: Request) -> Response:
    customer_id = wire.read_customer_id(request)
    customer = custom_fields.update_customer(
        request.caller, customer_id, lambda: customer_bodies.read_customer_change(request)
    )
    return customer_wire.render_customer(customer)
