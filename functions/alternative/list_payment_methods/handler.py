"""GET /customers/{id}/payment-methods: a customer's methods, the default one first."""

from bridge.api_adapters.alternative import wire
from bridge.core.wallet import payment_methods
from bridge.inbound import Request, endpoint


@endpoint(wire)
def handler(request: Request) -> object:
    customer_id = wire.read_id(request)
    methods = payment_methods.list_for_key(request.caller, customer_id)
    return wire.render_methods(methods)
