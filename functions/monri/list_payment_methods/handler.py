"""GET /v2/customers/{uuid}/payment-methods: list a customer's saved payment methods.

Source: docs/api/monri.md, section 5.7.
"""

from bridge.api_adapters import monri
from bridge.core.customers import organization_customers
from bridge.inbound import Request, endpoint


@endpoint(monri)
def handler(request: Request) -> object:
    """Return 200 with a page of payment methods."""
    page, owner = monri.read_page(request), monri.read_owner(request)
    return monri.render_methods(organization_customers.list_methods(request.caller, *owner, page))
