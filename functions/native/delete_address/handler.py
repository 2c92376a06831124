"""DELETE /bridge-payment/addresses/{id}: gone."""

from bridge.api_adapters import native
from bridge.core.wallet import addresses
from bridge.inbound import Request, endpoint


@endpoint(native, status=204)
def handler(request: Request) -> None:
    addresses.delete_address(request.caller, native.read_id(request))
