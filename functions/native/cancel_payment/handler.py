"""POST /bridge-payment/payments/{id}/cancel: void what has not been captured."""

from bridge.api_adapters import native
from bridge.core.payments import change_payment
from bridge.inbound import Request, Response, endpoint


@endpoint(native)
def handler(request: Request) -> Response:
    asked = native.read_cancellation(request)
    result = change_payment.cancel(request.caller, native.read_id(request), asked, request.run)
    return native.render_outcome(request.caller, result)
