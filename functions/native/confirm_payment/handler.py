"""POST /bridge-payment/payments/confirm/{id}: charge a payment, at most once.

Source: docs/api/native.md, section 4.
"""

from bridge.api_adapters.native import payment_bodies, payment_wire, wire
from bridge.core.payments import change_payment
from bridge.inbound import Request, Response, endpoint


@endpoint(wire)
def handler(request: Request) -> Response:
    """Return 200 with the payment, 402 for a decline, or 202 while the result is unknown."""
    confirmation = payment_bodies.read_confirmation(request)
    payment_id = wire.read_id(request)
    result = change_payment.confirm(request.caller, payment_id, confirmation, request.run)
    return payment_wire.render_outcome(request.caller, result)
