"""POST …/organizations/{organization_id}/customers: make a customer."""

from bridge.api_adapters.payments_ai import customer_wire, wire
from bridge.core.customers import custom_fields
from bridge.inbound import Answer, Request, endpoint


@endpoint(wire)
def handler(request: Request) -> Answer:
    call = wire.read_call(request)
    fields = customer_wire.read_new_customer(request)
    answered = custom_fields.create_customer(request.caller, fields, call)
    return customer_wire.render_new_customer(answered)
