"""GET /v2/merchants/customers/{merchant_customer_id}: the living customer of that name."""

from bridge.core import organization_customers
from bridge.dialects import monri
from bridge.inbound import Request, endpoint


@endpoint(monri)
def handler(request: Request) -> object:
    external_id = monri.read_merchant_customer_id(request)
    customer = organization_customers.get_by_external_id(request.caller, external_id)
    return monri.render_customer(customer)
