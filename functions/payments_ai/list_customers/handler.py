"""GET …/organizations/{organization_id}/customers: list or search by limit and offset."""

from bridge.api_adapters.payments_ai import customer_wire, wire
from bridge.core.customers import listing
from bridge.inbound import Request, Response, endpoint


@endpoint(wire)
def handler(request: Request) -> Response:
    page = customer_wire.read_customers_page(request)
    found = listing.by_offset(request.caller, page)
    return customer_wire.render_customers(page, found)
