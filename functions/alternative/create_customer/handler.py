"""POST /customers: create a customer."""

from bridge.api_adapters import alternative
from bridge.core.customers import organization_customers
from bridge.inbound import Request, endpoint


@endpoint(alternative, status=201)
def handler(request: Request) -> object:
    fields = alternative.read_new_customer(request)
    run = alternative.read_run(request)
    result = organization_customers.create(request.caller, fields, "if_free", run)
    return alternative.render_customer(result.customer)
