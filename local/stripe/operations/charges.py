"""/v1/charges. Source: Stripe API reference, "Charges"."""

from local.stripe.errors import no_such
from local.stripe.request import Operation, StripeRequest
from local.stripe.resources.json import Json


def fetch(request: StripeRequest) -> Json:
    """Return a charge. Raises StripeError 404 for an unknown id."""
    charge = request.world.charges.get(request.path["charge"])
    if charge is None:
        raise no_such("charge", request.path["charge"], "id", status=404)
    return charge.render()


OPERATIONS = (Operation("fetch_charge", "GET /v1/charges/{charge}", fetch, frozenset({"expand"})),)
