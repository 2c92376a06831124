"""PUT /bridge-payment/payment-methods/{id}: change the fields that are sent.

Source: docs/api/native.md, section 5.
"""

from bridge.api_adapters.native import payment_method_bodies, payment_method_wire, wire
from bridge.core.wallet import payment_methods
from bridge.inbound import Request, endpoint


@endpoint(wire)
def handler(request: Request) -> object:
    """Return 200 with the changed payment method. The provider is not called."""
    change = payment_method_bodies.read_method_change(request)
    method_id = wire.read_id(request)
    method = payment_methods.update_method(request.caller, method_id, change)
    return payment_method_wire.render_method(method)
