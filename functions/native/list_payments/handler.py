"""GET /bridge-payment/payments: the caller's payments, an organization's, or a customer's."""

from bridge.api_adapters import native
from bridge.core.payments import payments
from bridge.inbound import Request, endpoint


@endpoint(native)
def handler(request: Request) -> object:
    page = native.read_page(request)
    return native.render_payments(payments.list_payments(request.caller, page))
