"""DELETE /bridge-payment/payment-methods/{id}: delete a saved payment method.

Source: docs/api/native.md, section 5.
"""

from bridge.api_adapters.native import wire
from bridge.core.wallet import payment_methods
from bridge.inbound import Request, endpoint


@endpoint(wire, status=204)
def handler(request: Request) -> None:
    """Return 204; a job detaches the method at the provider later."""
    payment_methods.delete_method(request.caller, wire.read_id(request))
