"""POST /bridge-payment/payments/{id}/cancel: void what has not been captured."""

from bridge.api_adapters import native
from bridge.core.payments import change_payment
from bridge.inbound import Answer, Request, endpoint


@endpoint(native)
def handler(request: Request) -> Answer:
    asked = native.read_cancellation(request)
    answered = change_payment.cancel(request.caller, native.read_id(request), asked, request.call)
    return native.render_outcome(request.caller, answered)
