"""GET /customers/{id}: one customer, also an archived one."""

from bridge.api_adapters import alternative
from bridge.core.customers import organization_customers
from bridge.inbound import Request, endpoint


@endpoint(alternative)
def handler(request: Request) -> object:
    customer_id = alternative.read_id(request)
    customer = organization_customers.get(request.caller, customer_id)
    return alternative.render_customer(customer)
