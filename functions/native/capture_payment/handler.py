"""POST /bridge-payment/payments/{id}/capture: take all or a part of the authorized amount.

Source: docs/api/native.md, section 4.
"""

from bridge.api_adapters import native
from bridge.core.payments import change_payment
from bridge.inbound import Request, Response, endpoint


@endpoint(native)
def handler(request: Request) -> Response:
    """Return 200 with the captured payment, or 202 while the result is unknown."""
    capture = native.read_capture(request)
    result = change_payment.capture(request.caller, native.read_id(request), capture, request.run)
    return native.render_outcome(request.caller, result)
