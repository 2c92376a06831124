"""GET /bridge-payment/payments: the caller's payments, an organization's, or a customer's."""

from bridge.api_adapters import native
from bridge.core.payments import read_payments
from bridge.inbound import Request, endpoint


@endpoint(native)
def handler(request: Request) -> object:
    page = native.read_page(request)
    return native.render_payments(read_payments.list_payments(request.caller, page))
