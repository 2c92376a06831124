"""POST /bridge-payment/payments/intents: start a payment for a user or a guest."""

from bridge.api_adapters import native
from bridge.core.payments import create_payment
from bridge.inbound import Answer, Request, endpoint


@endpoint(native, guests=True)
def handler(request: Request) -> Answer:
    new = native.read_new_payment(request)
    answered = create_payment.create_payment_intent(request.caller, new, request.call)
    return native.render_new_payment(answered)
