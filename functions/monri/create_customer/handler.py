"""POST /v2/customers: keep a customer, answered 200 as all of this vendor's calls are."""

from bridge.api_adapters import monri
from bridge.core.customers import organization_customers
from bridge.inbound import Request, endpoint


@endpoint(monri)
def handler(request: Request) -> object:
    fields, run = monri.read_new_customer(request), monri.read_run(request)
    result = organization_customers.create(request.caller, fields, "required", run)
    return monri.render_customer(result.customer)
