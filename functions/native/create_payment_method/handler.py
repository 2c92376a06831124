"""POST /bridge-payment/payment-methods: save a provider's token for a customer.

Source: docs/api/native.md, section 5.
"""

from bridge.api_adapters.native import payment_method_bodies, payment_method_wire, wire
from bridge.core.wallet import payment_methods
from bridge.inbound import Request, Response, endpoint


@endpoint(wire)
def handler(request: Request) -> Response:
    """Return 201 with the saved payment method."""
    new = payment_method_bodies.read_new_method(request)
    result = payment_methods.create_method(request.caller, new, request.run)
    return payment_method_wire.render_new_method(result)
