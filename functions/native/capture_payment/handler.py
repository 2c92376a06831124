"""POST /bridge-payment/payments/{id}/capture: take what was authorized."""

from bridge.api_adapters import native
from bridge.core.payments import change_payment
from bridge.inbound import Request, Response, endpoint


@endpoint(native)
def handler(request: Request) -> Response:
    asked = native.read_capture(request)
    result = change_payment.capture(request.caller, native.read_id(request), asked, request.run)
    return native.render_outcome(request.caller, result)
