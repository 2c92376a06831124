"""POST /bridge-payment/payment-methods/{id}/set-default: choose the default method.

Source: docs/api/native.md, section 5.
"""

from bridge.api_adapters import native
from bridge.core.wallet import payment_methods
from bridge.inbound import Request, endpoint


@endpoint(native)
def handler(request: Request) -> object:
    """Return 200 with the payment method. Its customer has one default at most."""
    method = payment_methods.set_default(request.caller, native.read_id(request))
    return native.render_method(method)
