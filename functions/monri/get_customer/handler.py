"""GET /v2/customers/{uuid}: read one customer, also a deleted one.

Source: docs/api/monri.md, section 5.2.
"""

from bridge.api_adapters import monri
from bridge.core.customers import organization_customers
from bridge.inbound import Request, endpoint


@endpoint(monri)
def handler(request: Request) -> object:
    """Return 200 with the customer."""
    customer = organization_customers.get(request.caller, monri.read_id(request))
    return monri.render_customer(customer)
