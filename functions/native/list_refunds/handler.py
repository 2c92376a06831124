"""GET /bridge-payment/payments/{id}/refunds: every refund of a payment, oldest first."""

from bridge.core import payments
from bridge.dialects import native
from bridge.inbound import Request, endpoint


@endpoint(native)
def handler(request: Request) -> object:
    return native.render_refunds(payments.list_refunds(request.caller, native.read_id(request)))
