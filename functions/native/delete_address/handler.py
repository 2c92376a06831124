"""DELETE /bridge-payment/addresses/{id}: gone."""

from bridge.core import addresses
from bridge.dialects import native
from bridge.inbound import Request, endpoint


@endpoint(native, status=204)
def handler(request: Request) -> None:
    addresses.delete_address(request.caller, native.read_id(request))
