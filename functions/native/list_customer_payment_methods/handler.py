"""GET /bridge-payment/payment-methods/customer/{id}: list the methods of one customer.

Source: docs/api/native.md, section 5.
"""

from bridge.api_adapters import native
from bridge.core.wallet import payment_methods
from bridge.inbound import Request, endpoint


@endpoint(native)
def handler(request: Request) -> object:
    """Return 200 with an array, newest first."""
    page, customer_id = native.read_page(request), native.read_id(request)
    methods = payment_methods.list_of_customer(request.caller, customer_id, page)
    return native.render_methods(methods)
