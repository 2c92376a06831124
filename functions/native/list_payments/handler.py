"""GET /bridge-payment/payments: list the caller's, an organization's or a customer's.

Source: docs/api/native.md, section 4.
"""

from bridge.api_adapters.native import payment_wire, wire
from bridge.core.payments import read_payments
from bridge.inbound import Request, endpoint


@endpoint(wire)
def handler(request: Request) -> object:
    """Return 200 with an array, newest first."""
    page = wire.read_page(request)
    return payment_wire.render_payments(read_payments.list_payments(request.caller, page))
