"""GET /v2/customers/{uuid}/payment-methods: what is saved for a customer."""

from bridge.api_adapters import monri
from bridge.core.customers import organization_customers
from bridge.inbound import Request, endpoint


@endpoint(monri)
def handler(request: Request) -> object:
    page, owner = monri.read_page(request), monri.read_owner(request)
    return monri.render_methods(organization_customers.list_methods(request.caller, *owner, page))
