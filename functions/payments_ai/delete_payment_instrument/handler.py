"""DELETE …/customers/{id}/payment-instruments/{instrument_id}: delete it, at the provider too."""

from bridge.api_adapters.payments_ai import payment_instrument_wire, wire
from bridge.core.wallet import organization_methods
from bridge.inbound import Request, endpoint


@endpoint(wire, status=204)
def handler(request: Request) -> None:
    customer_id = wire.read_customer_id(request)
    instrument_id = payment_instrument_wire.read_instrument_id(request)
    organization_methods.delete(request.caller, customer_id, instrument_id)
