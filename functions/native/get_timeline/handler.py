"""GET /bridge-payment/payments/{id}/timeline: list what changed a payment.

Source: docs/api/native.md, section 4.
"""

from bridge.api_adapters import native
from bridge.core.payments import read_payments
from bridge.inbound import Request, endpoint


@endpoint(native)
def handler(request: Request) -> object:
    """Return 200 with the timeline entries, oldest first."""
    return native.render_timeline(read_payments.timeline(request.caller, native.read_id(request)))
