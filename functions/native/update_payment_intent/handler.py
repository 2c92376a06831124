"""PUT or PATCH /bridge-payment/payments/intents/{id}: change the fields that are sent.

Source: docs/api/native.md, section 4.
"""

from bridge.api_adapters.native import payment_bodies, payment_wire, wire
from bridge.core.payments import change_payment
from bridge.inbound import Request, Response, endpoint


@endpoint(wire)
def handler(request: Request) -> Response:
    """Return 200 with the changed payment, or 202 while the result is unknown."""
    change = payment_bodies.read_payment_change(request)
    payment_id = wire.read_id(request)
    result = change_payment.update(request.caller, payment_id, change, request.run)
    return payment_wire.render_outcome(request.caller, result)
