"""GET /customers/{id}/payment-methods: a customer's methods, the default one first."""

from bridge.api_adapters import alternative
from bridge.core.wallet import payment_methods
from bridge.inbound import Request, endpoint


@endpoint(alternative)
def handler(request: Request) -> object:
    customer_id = alternative.read_id(request)
    methods = payment_methods.list_for_key(request.caller, customer_id)
    return alternative.render_methods(methods)
