"""GET /bridge-payment/customers/{id}: one customer."""

from bridge.api_adapters import native
from bridge.core.customers import user_customers
from bridge.inbound import Request, endpoint


@endpoint(native)
def handler(request: Request) -> object:
    customer = user_customers.get_customer(request.caller, native.read_id(request))
    return native.render_customer(customer)
