"""DELETE /customers/{id}: archive a customer. It leaves all lists and stays readable."""

from bridge.api_adapters import alternative
from bridge.core.customers import organization_customers
from bridge.inbound import Request, endpoint


@endpoint(alternative)
def handler(request: Request) -> object:
    customer_id = alternative.read_id(request)
    customer = organization_customers.delete(request.caller, customer_id)
    return alternative.render_customer(customer)
