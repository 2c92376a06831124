"""DELETE /bridge-payment/customers/{id}: delete a customer.

Source: docs/api/native.md, section 3.
"""

from bridge.api_adapters.native import wire
from bridge.core.customers import user_customers
from bridge.inbound import Request, endpoint


@endpoint(wire, status=204)
def handler(request: Request) -> None:
    """Return 204; a job finishes the deletion later, also at the provider (B12)."""
    user_customers.delete_customer(request.caller, wire.read_id(request))
