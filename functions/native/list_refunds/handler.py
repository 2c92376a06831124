"""GET /bridge-payment/payments/{id}/refunds: list the refunds of a payment.

Source: docs/api/native.md, section 4.
"""

from bridge.api_adapters.native import payment_wire, wire
from bridge.core.payments import read_payments
from bridge.inbound import Request, endpoint


@endpoint(wire)
def handler(request: Request) -> object:
    """Return 200 with an array, oldest first."""
    return payment_wire.render_refunds(
        read_payments.list_refunds(request.caller, wire.read_id(request))
    )
