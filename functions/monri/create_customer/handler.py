"""POST /v2/customers: create a customer. The response is a 200, as for all calls of Monri (M2).

Source: docs/api/monri.md, section 5.1.
"""

from bridge.api_adapters.monri import bodies, wire
from bridge.core.customers import organization_customers
from bridge.inbound import Request, endpoint


@endpoint(wire)
def handler(request: Request) -> object:
    """Return 200 with the customer."""
    fields, run = bodies.read_new_customer(request), wire.read_run(request)
    result = organization_customers.create(request.caller, fields, "required", run)
    return wire.render_customer(result.customer)
