"""PUT or PATCH /bridge-payment/payments/intents/{id}: change a payment before its charge."""

from bridge.api_adapters import native
from bridge.core.payments import change_payment
from bridge.inbound import Answer, Request, endpoint


@endpoint(native)
def handler(request: Request) -> Answer:
    change = native.read_payment_change(request)
    payment_id = native.read_id(request)
    answered = change_payment.update(request.caller, payment_id, change, request.call)
    return native.render_outcome(request.caller, answered)
