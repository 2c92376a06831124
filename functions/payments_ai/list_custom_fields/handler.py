"""GET …/custom-fields and …/custom-fields/{resource}: definitions by name."""

from bridge.api_adapters.payments_ai import custom_field_wire, wire
from bridge.core.customers import custom_fields
from bridge.inbound import Request, Response, endpoint


@endpoint(wire)
def handler(request: Request) -> Response:
    resource, page = custom_field_wire.read_custom_fields_page(request)
    found = custom_fields.list_page(request.caller, resource, page)
    return custom_field_wire.render_custom_fields(request, page, found)
