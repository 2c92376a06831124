"""GET /bridge-payment/payments: the caller's payments, an organization's, or a customer's."""

from bridge.core import payments
from bridge.dialects import native
from bridge.inbound import Request, endpoint


@endpoint(native)
def handler(request: Request) -> object:
    page = native.read_page(request)
    return native.render_payments(payments.list_payments(request.caller, page))
