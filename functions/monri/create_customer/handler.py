"""POST /v2/customers: keep a customer, answered 200 as all of this vendor's calls are."""

from bridge.api_adapters import monri
from bridge.core.customers import organization_customers
from bridge.inbound import Request, endpoint


@endpoint(monri)
def handler(request: Request) -> object:
    fields, call = monri.read_new_customer(request), monri.read_call(request)
    answered = organization_customers.create(request.caller, fields, "required", call)
    return monri.render_customer(answered.customer)
