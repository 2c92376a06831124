"""POST …/customers/{id}/payment-instruments: save a token of the provider."""

from bridge.api_adapters.payments_ai import payment_instrument_bodies, payment_instrument_wire, wire
from bridge.core.wallet import organization_methods
from bridge.inbound import Request, Response, endpoint


@endpoint(wire)
def handler(request: Request) -> Response:
    customer_id = wire.read_customer_id(request)
    instrument = organization_methods.attach(
        request.caller,
        customer_id,
        lambda: payment_instrument_bodies.read_token(request),
        lambda: wire.read_run(request),
    )
    return payment_instrument_wire.render_new_instrument(instrument)
