"""GET /customers/{id}/users: a customer's contacts, by cursor."""

from bridge.api_adapters.alternative import wire
from bridge.core.customers import contacts
from bridge.inbound import Request, endpoint


@endpoint(wire)
def handler(request: Request) -> object:
    page = wire.read_users_page(request)
    customer_id = wire.read_id(request)
    found = contacts.by_cursor(request.caller, customer_id, page)
    return wire.render_users(request, found)
