"""POST /bridge-payment/payments/intents: create a payment for a user or a guest.

Source: docs/api/native.md, section 4.
"""

from bridge.api_adapters.native import payment_bodies, payment_wire, wire
from bridge.core.payments import create_payment
from bridge.inbound import Request, Response, endpoint


@endpoint(wire, guests=True)
def handler(request: Request) -> Response:
    """Return 201 with the new payment, or 202 while the result is unknown."""
    new = payment_bodies.read_new_payment(request)
    result = create_payment.create_payment_intent(request.caller, new, request.run)
    return payment_wire.render_new_payment(result)
