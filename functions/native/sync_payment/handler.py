"""POST /bridge-payment/payments/sync/{id}: save the provider's state of a payment.

Source: docs/api/native.md, section 4.
"""

from bridge.api_adapters.native import payment_wire, wire
from bridge.core.payments import change_payment
from bridge.inbound import Request, endpoint


@endpoint(wire)
def handler(request: Request) -> object:
    """Return 200 with the payment as the provider has it now."""
    payment = change_payment.sync(request.caller, wire.read_id(request), request.run)
    return payment_wire.render_payment(request.caller, payment)
