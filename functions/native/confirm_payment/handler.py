"""POST /bridge-payment/payments/confirm/{id}: charge, once."""

from bridge.api_adapters import native
from bridge.core.payments import change_payment
from bridge.inbound import Answer, Request, endpoint


@endpoint(native)
def handler(request: Request) -> Answer:
    asked = native.read_confirmation(request)
    payment_id = native.read_id(request)
    answered = change_payment.confirm(request.caller, payment_id, asked, request.call)
    return native.render_outcome(request.caller, answered)
