"""PUT …/custom-fields/{resource}/{name}: the same, by the form of the SDK."""

from bridge.api_adapters.payments_ai import custom_field_wire, wire
from bridge.core.customers import custom_fields
from bridge.inbound import Request, Response, endpoint


@endpoint(wire)
def handler(request: Request) -> Response:
    new = custom_field_wire.read_named_custom_field(request)
    return custom_field_wire.render_defined(request, custom_fields.define(request.caller, new))
