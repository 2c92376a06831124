"""POST /bridge-payment/payments/{id}/cancel: void what has not been captured."""

from bridge.core import payments
from bridge.dialects import native
from bridge.inbound import Answer, Request, endpoint


@endpoint(native)
def handler(request: Request) -> Answer:
    asked = native.read_cancellation(request)
    answered = payments.cancel(request.caller, native.read_id(request), asked, request.call)
    return native.render_outcome(request.caller, answered)
