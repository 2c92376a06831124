"""PUT or PATCH /bridge-payment/payments/intents/{id}: change the fields that are sent.

Source: docs/api/native.md, section 4.
"""

from bridge.api_adapters import native
from bridge.core.payments import change_payment
from bridge.inbound import Request, Response, endpoint


@endpoint(native)
def handler(request: Request) -> Response:
    """Return 200 with the changed payment, or 202 while the result is unknown."""
    change = native.read_payment_change(request)
    payment_id = native.read_id(request)
    result = change_payment.update(request.caller, payment_id, change, request.run)
    return native.render_outcome(request.caller, result)
