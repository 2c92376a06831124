"""POST /bridge-payment/payment-methods: save a provider's token for a customer."""

from bridge.api_adapters import native
from bridge.core.wallet import payment_methods
from bridge.inbound import Answer, Request, endpoint


@endpoint(native)
def handler(request: Request) -> Answer:
    new = native.read_new_method(request)
    answered = payment_methods.create_method(request.caller, new, request.call)
    return native.render_new_method(answered)
