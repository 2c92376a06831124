"""PUT …/custom-fields/{resource}/{name}: define or replace a field, in the SDK's form."""

from bridge.api_adapters.payments_ai import custom_field_bodies, custom_field_wire, wire
from bridge.core.customers import custom_fields
from bridge.inbound import Request, Response, endpoint


@endpoint(wire)
def handler(request: Request) -> Response:
    new = custom_field_bodies.read_custom_field_of_path(request)
    return custom_field_wire.render_defined(request, custom_fields.define(request.caller, new))
