"""DELETE /v2/customers/{uuid}: delete a customer. It stays readable; a job finishes the rest.

Source: docs/api/monri.md, section 5.5.
"""

from bridge.api_adapters import monri
from bridge.core.customers import organization_customers
from bridge.inbound import Request, endpoint


@endpoint(monri)
def handler(request: Request) -> object:
    """Return 200 with the deleted customer's UUID."""
    customer = organization_customers.delete(request.caller, monri.read_id(request))
    return monri.render_deletion(customer)
