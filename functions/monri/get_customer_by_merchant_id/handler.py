"""GET /v2/merchants/customers/{merchant_customer_id}: read a customer by the merchant's id.

A deleted customer is not found.
Source: docs/api/monri.md, section 5.3.
"""

from bridge.api_adapters.monri import wire
from bridge.core.customers import organization_customers
from bridge.inbound import Request, endpoint


@endpoint(wire)
def handler(request: Request) -> object:
    """Return 200 with the customer."""
    external_id = wire.read_merchant_customer_id(request)
    customer = organization_customers.get_by_external_id(request.caller, external_id)
    return wire.render_customer(customer)
