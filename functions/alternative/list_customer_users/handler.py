"""GET /customers/{id}/users: a customer's contacts, by cursor."""

from bridge.api_adapters import alternative
from bridge.core.customers import contacts
from bridge.inbound import Request, endpoint


@endpoint(alternative)
def handler(request: Request) -> object:
    page = alternative.read_users_page(request)
    customer_id = alternative.read_id(request)
    found = contacts.by_cursor(request.caller, customer_id, page)
    return alternative.render_users(request, found)
