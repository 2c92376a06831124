"""POST /v2/customers/{uuid}: change the fields that are sent.

Source: docs/api/monri.md, section 5.4.
"""

from bridge.api_adapters import monri
from bridge.core.customers import organization_customers
from bridge.inbound import Request, endpoint


@endpoint(monri)
def handler(request: Request) -> object:
    """Return 200 with the changed customer."""
    change = monri.read_customer_change(request)
    customer_id = monri.read_id(request)
    customer = organization_customers.update(request.caller, customer_id, change, touches=True)
    return monri.render_customer(customer)
