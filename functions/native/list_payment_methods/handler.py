"""GET /bridge-payment/payment-methods: the caller's, an organization's or a customer's."""

from bridge.api_adapters import native
from bridge.core.wallet import payment_methods
from bridge.inbound import Request, endpoint


@endpoint(native)
def handler(request: Request) -> object:
    page = native.read_page(request)
    return native.render_methods(payment_methods.list_methods(request.caller, page))
