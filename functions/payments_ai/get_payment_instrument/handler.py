"""GET …/customers/{id}/payment-instruments/{instrument_id}: one payment instrument."""

from bridge.api_adapters.payments_ai import payment_instrument_wire, wire
from bridge.core.wallet import organization_methods
from bridge.inbound import Request, Response, endpoint


@endpoint(wire)
def handler(request: Request) -> Response:
    customer_id = wire.read_customer_id(request)
    instrument_id = payment_instrument_wire.read_instrument_id(request)
    instrument = organization_methods.get(request.caller, customer_id, instrument_id)
    return payment_instrument_wire.render_instrument(instrument)
