"""GET /bridge-payment/payment-methods/{id}: read one saved payment method.

Source: docs/api/native.md, section 5.
"""

from bridge.api_adapters import native
from bridge.core.wallet import payment_methods
from bridge.inbound import Request, endpoint


@endpoint(native)
def handler(request: Request) -> object:
    """Return 200 with the payment method."""
    method = payment_methods.get_method(request.caller, native.read_id(request))
    return native.render_method(method)
