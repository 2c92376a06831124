"""GET /bridge-payment/payment-methods/customer/{id}: list the methods of one customer.

Source: docs/api/native.md, section 5.
"""

from bridge.api_adapters.native import payment_method_wire, wire
from bridge.core.wallet import payment_methods
from bridge.inbound import Request, endpoint


@endpoint(wire)
def handler(request: Request) -> object:
    """Return 200 with an array, newest first."""
    page, customer_id = wire.read_page(request), wire.read_id(request)
    methods = payment_methods.list_of_customer(request.caller, customer_id, page)
    return payment_method_wire.render_methods(methods)
