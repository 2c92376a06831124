"""DELETE …/organizations/{organization_id}/customers/{id}: soft deletion."""

from bridge.api_adapters.payments_ai import wire
from bridge.core.customers import organization_customers
from bridge.inbound import Request, endpoint


@endpoint(wire, status=204)
def handler(request: Request) -> None:
    organization_customers.delete(request.caller, wire.read_customer_id(request))
