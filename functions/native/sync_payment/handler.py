"""POST /bridge-payment/payments/sync/{id}: read the provider, merge, return."""

from bridge.api_adapters import native
from bridge.core.payments import change_payment
from bridge.inbound import Request, endpoint


@endpoint(native)
def handler(request: Request) -> object:
    payment = change_payment.sync(request.caller, native.read_id(request), request.run)
    return native.render_payment(request.caller, payment)
