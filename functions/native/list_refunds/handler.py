"""GET /bridge-payment/payments/{id}/refunds: every refund of a payment, oldest first."""

from bridge.api_adapters import native
from bridge.core.payments import read_payments
from bridge.inbound import Request, endpoint


@endpoint(native)
def handler(request: Request) -> object:
    return native.render_refunds(
        read_payments.list_refunds(request.caller, native.read_id(request))
    )
