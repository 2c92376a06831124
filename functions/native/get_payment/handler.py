"""GET /bridge-payment/payments/{id}: one payment, by our id or the provider's."""

from bridge.api_adapters import native
from bridge.core.payments import read_payments
from bridge.inbound import Request, endpoint


@endpoint(native)
def handler(request: Request) -> object:
    payment = read_payments.get_payment(request.caller, native.read_id(request))
    return native.render_payment(request.caller, payment)
