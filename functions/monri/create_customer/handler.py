"""POST /v2/customers: create a customer. The response is a 200, as for all calls of Monri (M2).

Source: docs/api/monri.md, section 5.1.
"""

from bridge.api_adapters import monri
from bridge.core.customers import organization_customers
from bridge.inbound import Request, endpoint


@endpoint(monri)
def handler(request: Request) -> object:
    """Return 200 with the customer."""
    fields, run = monri.read_new_customer(request), monri.read_run(request)
    result = organization_customers.create(request.caller, fields, "required", run)
    return monri.render_customer(result.customer)
