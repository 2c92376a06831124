"""GET /bridge-payment/payment-methods: list the caller's, an organization's or a customer's.

Source: docs/api/native.md, section 5.
"""

from bridge.api_adapters import native
from bridge.core.wallet import payment_methods
from bridge.inbound import Request, endpoint


@endpoint(native)
def handler(request: Request) -> object:
    """Return 200 with an array, newest first."""
    page = native.read_page(request)
    return native.render_methods(payment_methods.list_methods(request.caller, page))
