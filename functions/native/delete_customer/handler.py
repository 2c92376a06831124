"""DELETE /bridge-payment/customers/{id}: gone at once, finished by a job."""

from bridge.api_adapters import native
from bridge.core.customers import user_customers
from bridge.inbound import Request, endpoint


@endpoint(native, status=204)
def handler(request: Request) -> None:
    user_customers.delete_customer(request.caller, native.read_id(request))
