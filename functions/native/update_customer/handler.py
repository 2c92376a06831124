"""PUT /bridge-payment/customers/{id}: change the fields that are sent.

Source: docs/api/native.md, section 3.
"""

from bridge.api_adapters import native
from bridge.core.customers import user_customers
from bridge.inbound import Request, endpoint


@endpoint(native)
def handler(request: Request) -> object:
    """Return 200 with the changed customer. The provider is updated first."""
    change = native.read_customer_change(request)
    customer_id = native.read_id(request)
    customer = user_customers.update_customer(request.caller, customer_id, change, request.run)
    return native.render_customer(customer)
