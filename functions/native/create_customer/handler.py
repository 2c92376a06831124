"""POST /bridge-payment/customers: make a customer for a user or a guest."""

from bridge.api_adapters import native
from bridge.core.customers import user_customers
from bridge.inbound import Request, Response, endpoint


@endpoint(native, guests=True)
def handler(request: Request) -> Response:
    new = native.read_new_customer(request)
    result = user_customers.create_customer(request.caller, new, request.run)
    return native.render_new_customer(result)
