"""POST /customers/{id}/users: add a contact to a customer."""

from bridge.api_adapters.alternative import bodies, wire
from bridge.core.customers import contacts
from bridge.inbound import Request, endpoint


@endpoint(wire, status=201)
def handler(request: Request) -> object:
    new = bodies.read_new_user(request)
    customer_id = wire.read_id(request)
    contact = contacts.add(request.caller, customer_id, new)
    return wire.render_user(contact)
