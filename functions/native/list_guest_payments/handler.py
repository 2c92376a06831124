"""GET /bridge-payment/payments/guest/{email}: what anybody may know of a guest's payments."""

from bridge.api_adapters import native
from bridge.core.payments import read_payments
from bridge.inbound import Request, endpoint


@endpoint(native, guests=True)
def handler(request: Request) -> object:
    email, page = native.read_email(request), native.read_page(request)
    listed = read_payments.list_guest_payments(request.caller, email, page, request.run)
    return native.render_guest_payments(listed)
