"""DELETE /bridge-payment/payment-methods/{id}: gone at once, detached at the provider by a job."""

from bridge.api_adapters import native
from bridge.core.wallet import payment_methods
from bridge.inbound import Request, endpoint


@endpoint(native, status=204)
def handler(request: Request) -> None:
    payment_methods.delete_method(request.caller, native.read_id(request))
