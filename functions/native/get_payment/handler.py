"""GET /bridge-payment/payments/{id}: read one payment, by our id or the provider's.

Source: docs/api/native.md, section 4.
"""

from bridge.api_adapters.native import payment_wire, wire
from bridge.core.payments import read_payments
from bridge.inbound import Request, endpoint


@endpoint(wire)
def handler(request: Request) -> object:
    """Return 200 with the payment. The provider is not called."""
    payment = read_payments.get_payment(request.caller, wire.read_id(request))
    return payment_wire.render_payment(request.caller, payment)
