"""POST /bridge-payment/payments/{id}/capture: take what was authorized."""

from bridge.core import payments
from bridge.dialects import native
from bridge.inbound import Answer, Request, endpoint


@endpoint(native)
def handler(request: Request) -> Answer:
    asked = native.read_capture(request)
    answered = payments.capture(request.caller, native.read_id(request), asked, request.call)
    return native.render_outcome(request.caller, answered)
