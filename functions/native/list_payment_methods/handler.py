"""GET /bridge-payment/payment-methods: list the caller's, an organization's or a customer's.

Source: docs/api/native.md, section 5.
"""

from bridge.api_adapters.native import payment_method_wire, wire
from bridge.core.wallet import payment_methods
from bridge.inbound import Request, endpoint


@endpoint(wire)
def handler(request: Request) -> object:
    """Return 200 with an array, newest first."""
    page = wire.read_page(request)
    return payment_method_wire.render_methods(payment_methods.list_methods(request.caller, page))
