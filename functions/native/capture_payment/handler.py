"""POST /bridge-payment/payments/{id}/capture: take all or a part of the authorized amount.

Source: docs/api/native.md, section 4.
"""

from bridge.api_adapters.native import payment_bodies, payment_wire, wire
from bridge.core.payments import change_payment
from bridge.inbound import Request, Response, endpoint


@endpoint(wire)
def handler(request: Request) -> Response:
    """Return 200 with the captured payment, or 202 while the result is unknown."""
    capture = payment_bodies.read_capture(request)
    result = change_payment.capture(request.caller, wire.read_id(request), capture, request.run)
    return payment_wire.render_outcome(request.caller, result)
