"""GET /bridge-payment/payments/{id}/timeline: what happened to a payment, oldest first."""

from bridge.api_adapters import native
from bridge.core.payments import payments
from bridge.inbound import Request, endpoint


@endpoint(native)
def handler(request: Request) -> object:
    return native.render_timeline(payments.timeline(request.caller, native.read_id(request)))
