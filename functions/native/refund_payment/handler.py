"""POST /bridge-payment/payments/{id}/refund: give back what was captured, or a part of it."""

from bridge.api_adapters import native
from bridge.core.payments import change_payment
from bridge.inbound import Request, Response, endpoint


@endpoint(native)
def handler(request: Request) -> Response:
    asked = native.read_new_refund(request)
    result = change_payment.refund(request.caller, native.read_id(request), asked, request.run)
    return native.render_refund_outcome(result)
