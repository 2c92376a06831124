"""GET /bridge-payment/payment-methods/{id}: one saved payment method."""

from bridge.api_adapters import native
from bridge.core.wallet import payment_methods
from bridge.inbound import Request, endpoint


@endpoint(native)
def handler(request: Request) -> object:
    method = payment_methods.get_method(request.caller, native.read_id(request))
    return native.render_method(method)
