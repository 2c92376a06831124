"""/v1/charges. Source: Stripe API reference, "Charges"."""

from local.stripe.call import Call, Operation
from local.stripe.errors import no_such
from local.stripe.resources.json import Json


def fetch(call: Call) -> Json:
    charge = call.world.charges.get(call.path["charge"])
    if charge is None:
        raise no_such("charge", call.path["charge"], "id", status=404)
    return charge.render()


OPERATIONS = (Operation("fetch_charge", "GET /v1/charges/{charge}", fetch, frozenset({"expand"})),)
