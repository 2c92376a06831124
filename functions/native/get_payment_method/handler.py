"""GET /bridge-payment/payment-methods/{id}: read one saved payment method.

Source: docs/api/native.md, section 5.
"""

from bridge.api_adapters.native import payment_method_wire, wire
from bridge.core.wallet import payment_methods
from bridge.inbound import Request, endpoint


@endpoint(wire)
def handler(request: Request) -> object:
    """Return 200 with the payment method."""
    method = payment_methods.get_method(request.caller, wire.read_id(request))
    return payment_method_wire.render_method(method)
