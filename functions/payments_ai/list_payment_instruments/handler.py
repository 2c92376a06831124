"""GET …/customers/{id}/payment-instruments: what a customer can pay with."""

from bridge.core import payment_instruments
from bridge.dialects.payments_ai import payment_instrument_wire, wire
from bridge.inbound import Answer, Request, endpoint


@endpoint(wire)
def handler(request: Request) -> Answer:
    customer_id = wire.read_customer_id(request)
    found = payment_instruments.list_page(
        request.caller, customer_id, lambda: payment_instrument_wire.read_instruments_page(request)
    )
    return payment_instrument_wire.render_instruments(found)
