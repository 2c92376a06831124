"""PUT or PATCH /bridge-payment/payments/intents/{id}: change a payment before its charge."""

from bridge.api_adapters import native
from bridge.core.payments import change_payment
from bridge.inbound import Request, Response, endpoint


@endpoint(native)
def handler(request: Request) -> Response:
    change = native.read_payment_change(request)
    payment_id = native.read_id(request)
    result = change_payment.update(request.caller, payment_id, change, request.run)
    return native.render_outcome(request.caller, result)
