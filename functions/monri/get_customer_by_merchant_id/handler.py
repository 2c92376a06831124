"""GET /v2/merchants/customers/{merchant_customer_id}: the living customer of that name."""

from bridge.api_adapters import monri
from bridge.core.customers import organization_customers
from bridge.inbound import Request, endpoint


@endpoint(monri)
def handler(request: Request) -> object:
    external_id = monri.read_merchant_customer_id(request)
    customer = organization_customers.get_by_external_id(request.caller, external_id)
    return monri.render_customer(customer)
