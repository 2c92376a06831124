"""POST /bridge-payment/payments/{id}/refund: give back all or a part of what was captured.

Source: docs/api/native.md, section 4.
"""

from bridge.api_adapters.native import payment_bodies, payment_wire, wire
from bridge.core.payments import change_payment
from bridge.inbound import Request, Response, endpoint


@endpoint(wire)
def handler(request: Request) -> Response:
    """Return 201 with the refund, or 202 with a pending refund while the result is unknown."""
    new = payment_bodies.read_new_refund(request)
    result = change_payment.refund(request.caller, wire.read_id(request), new, request.run)
    return payment_wire.render_refund_outcome(result)
