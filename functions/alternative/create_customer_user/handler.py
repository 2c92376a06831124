"""POST /customers/{id}/users: add a contact to a customer."""

from bridge.api_adapters import alternative
from bridge.core.customers import contacts
from bridge.inbound import Request, endpoint


@endpoint(alternative, status=201)
def handler(request: Request) -> object:
    new = alternative.read_new_user(request)
    customer_id = alternative.read_id(request)
    contact = contacts.add(request.caller, customer_id, new)
    return alternative.render_user(contact)
