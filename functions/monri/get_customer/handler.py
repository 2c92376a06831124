"""GET /v2/customers/{uuid}: one customer, a deleted one too."""

from bridge.api_adapters import monri
from bridge.core.customers import organization_customers
from bridge.inbound import Request, endpoint


@endpoint(monri)
def handler(request: Request) -> object:
    customer = organization_customers.get(request.caller, monri.read_id(request))
    return monri.render_customer(customer)
