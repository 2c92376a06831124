"""GET /bridge-payment/payments: list the caller's, an organization's or a customer's.

Source: docs/api/native.md, section 4.
"""

from bridge.api_adapters import native
from bridge.core.payments import read_payments
from bridge.inbound import Request, endpoint


@endpoint(native)
def handler(request: Request) -> object:
    """Return 200 with an array, newest first."""
    page = native.read_page(request)
    return native.render_payments(read_payments.list_payments(request.caller, page))
