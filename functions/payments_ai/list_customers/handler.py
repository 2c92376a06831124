"""GET …/organizations/{organization_id}/customers: by limit and offset, or by what they contain."""

from bridge.core import customer_lists
from bridge.dialects.payments_ai import customer_wire, wire
from bridge.inbound import Answer, Request, endpoint


@endpoint(wire)
def handler(request: Request) -> Answer:
    page = customer_wire.read_customers_page(request)
    found = customer_lists.by_offset(request.caller, page)
    return customer_wire.render_customers(page, found)
