"""POST /bridge-payment/payments/{id}/cancel: end a payment that is not captured.

Source: docs/api/native.md, section 4.
"""

from bridge.api_adapters import native
from bridge.core.payments import change_payment
from bridge.inbound import Request, Response, endpoint


@endpoint(native)
def handler(request: Request) -> Response:
    """Return 200 with the canceled payment, or 202 while the result is unknown."""
    cancellation = native.read_cancellation(request)
    result = change_payment.cancel(
        request.caller, native.read_id(request), cancellation, request.run
    )
    return native.render_outcome(request.caller, result)
