"""PUT /bridge-payment/payment-methods/{id}: change the fields that are sent.

Source: docs/api/native.md, section 5.
"""

from bridge.api_adapters import native
from bridge.core.wallet import payment_methods
from bridge.inbound import Request, endpoint


@endpoint(native)
def handler(request: Request) -> object:
    """Return 200 with the changed payment method. The provider is not called."""
    change = native.read_method_change(request)
    method_id = native.read_id(request)
    method = payment_methods.update_method(request.caller, method_id, change)
    return native.render_method(method)
