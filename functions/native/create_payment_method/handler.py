"""POST /bridge-payment/payment-methods: save a provider's token for a customer.

Source: docs/api/native.md, section 5.
"""

from bridge.api_adapters import native
from bridge.core.wallet import payment_methods
from bridge.inbound import Request, Response, endpoint


@endpoint(native)
def handler(request: Request) -> Response:
    """Return 201 with the saved payment method."""
    new = native.read_new_method(request)
    result = payment_methods.create_method(request.caller, new, request.run)
    return native.render_new_method(result)
