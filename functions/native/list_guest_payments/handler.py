"""GET /bridge-payment/payments/guest/{email}: list a guest's payments, public fields only.

Source: docs/api/native.md, sections 2 and 4.
"""

from bridge.api_adapters.native import payment_wire, wire
from bridge.core.payments import read_payments
from bridge.inbound import Request, endpoint


@endpoint(wire, guests=True)
def handler(request: Request) -> object:
    """Return 200 with an array, newest first. Needs no credential by default (B10)."""
    email, page = wire.read_email(request), wire.read_page(request)
    payments = read_payments.list_guest_payments(request.caller, email, page, request.run)
    return payment_wire.render_guest_payments(payments)
