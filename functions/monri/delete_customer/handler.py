"""DELETE /v2/customers/{uuid}: gone from lists, still readable, finished by a job."""

from bridge.api_adapters import monri
from bridge.core.customers import organization_customers
from bridge.inbound import Request, endpoint


@endpoint(monri)
def handler(request: Request) -> object:
    customer = organization_customers.delete(request.caller, monri.read_id(request))
    return monri.render_deletion(customer)
