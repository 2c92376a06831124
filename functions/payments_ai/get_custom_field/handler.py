"""GET …/custom-fields/{resource}/{name}: one definition."""

from bridge.api_adapters.payments_ai import custom_field_wire, wire
from bridge.core.customers import custom_fields
from bridge.inbound import Request, Response, endpoint


@endpoint(wire)
def handler(request: Request) -> Response:
    resource, name = custom_field_wire.read_key(request)
    field = custom_fields.get(request.caller, resource, name)
    return custom_field_wire.render_custom_field(request, field)
