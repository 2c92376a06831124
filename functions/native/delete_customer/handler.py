"""DELETE /bridge-payment/customers/{id}: gone at once, finished by a job."""

from bridge.core import customers
from bridge.dialects import native
from bridge.inbound import Request, endpoint


@endpoint(native, status=204)
def handler(request: Request) -> None:
    customers.delete_customer(request.caller, native.read_id(request))
