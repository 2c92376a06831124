"""POST /bridge-payment/payments/{id}/capture: take what was authorized."""

from bridge.api_adapters import native
from bridge.core.payments import change_payment
from bridge.inbound import Answer, Request, endpoint


@endpoint(native)
def handler(request: Request) -> Answer:
    asked = native.read_capture(request)
    answered = change_payment.capture(request.caller, native.read_id(request), asked, request.call)
    return native.render_outcome(request.caller, answered)
