"""GET /bridge-payment/customers/{id}: one customer."""

from bridge.core import customers
from bridge.dialects import native
from bridge.inbound import Request, endpoint


@endpoint(native)
def handler(request: Request) -> object:
    customer = customers.get_customer(request.caller, native.read_id(request))
    return native.render_customer(customer)
