"""GET /v2/customers/{uuid}/payment-methods: list a customer's saved payment methods.

Source: docs/api/monri.md, section 5.7.
"""

from bridge.api_adapters.monri import wire
from bridge.core.customers import organization_customers
from bridge.inbound import Request, endpoint


@endpoint(wire)
def handler(request: Request) -> object:
    """Return 200 with a page of payment methods."""
    page, owner = wire.read_page(request), wire.read_owner(request)
    return wire.render_methods(organization_customers.list_methods(request.caller, *owner, page))
