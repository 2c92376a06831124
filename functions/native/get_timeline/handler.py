"""GET /bridge-payment/payments/{id}/timeline: what happened to a payment, oldest first."""

from bridge.api_adapters import native
from bridge.core.payments import read_payments
from bridge.inbound import Request, endpoint


@endpoint(native)
def handler(request: Request) -> object:
    return native.render_timeline(read_payments.timeline(request.caller, native.read_id(request)))
