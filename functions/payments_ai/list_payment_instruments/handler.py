"""GET …/customers/{id}/payment-instruments: a customer's payment instruments."""

from bridge.api_adapters.payments_ai import payment_instrument_wire, wire
from bridge.core.wallet import organization_methods
from bridge.inbound import Request, Response, endpoint


@endpoint(wire)
def handler(request: Request) -> Response:
    customer_id = wire.read_customer_id(request)
    found = organization_methods.list_page(
        request.caller, customer_id, lambda: payment_instrument_wire.read_instruments_page(request)
    )
    return payment_instrument_wire.render_instruments(found)
