"""POST /bridge-payment/payments/{id}/cancel: end a payment that is not captured.

Source: docs/api/native.md, section 4.
"""

from bridge.api_adapters.native import payment_bodies, payment_wire, wire
from bridge.core.payments import change_payment
from bridge.inbound import Request, Response, endpoint


@endpoint(wire)
def handler(request: Request) -> Response:
    """Return 200 with the canceled payment, or 202 while the result is unknown."""
    cancellation = payment_bodies.read_cancellation(request)
    result = change_payment.cancel(request.caller, wire.read_id(request), cancellation, request.run)
    return payment_wire.render_outcome(request.caller, result)
