"""DELETE /v2/customers/{uuid}: delete a customer. It stays readable; a job finishes the rest.

Source: docs/api/monri.md, section 5.5.
"""

from bridge.api_adapters.monri import wire
from bridge.core.customers import organization_customers
from bridge.inbound import Request, endpoint


@endpoint(wire)
def handler(request: Request) -> object:
    """Return 200 with the deleted customer's UUID."""
    customer = organization_customers.delete(request.caller, wire.read_id(request))
    return wire.render_deletion(customer)
