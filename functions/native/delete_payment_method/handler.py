"""DELETE /bridge-payment/payment-methods/{id}: delete a saved payment method.

Source: docs/api/native.md, section 5.
"""

from bridge.api_adapters import native
from bridge.core.wallet import payment_methods
from bridge.inbound import Request, endpoint


@endpoint(native, status=204)
def handler(request: Request) -> None:
    """Return 204; a job detaches the method at the provider later."""
    payment_methods.delete_method(request.caller, native.read_id(request))
