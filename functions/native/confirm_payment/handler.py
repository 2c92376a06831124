"""POST /bridge-payment/payments/confirm/{id}: charge, once."""

from bridge.api_adapters import native
from bridge.core.payments import change_payment
from bridge.inbound import Request, Response, endpoint


@endpoint(native)
def handler(request: Request) -> Response:
    asked = native.read_confirmation(request)
    payment_id = native.read_id(request)
    result = change_payment.confirm(request.caller, payment_id, asked, request.run)
    return native.render_outcome(request.caller, result)
