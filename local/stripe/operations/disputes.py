"""/v1/disputes. Source: Stripe API reference, "Disputes"."""

from local.stripe import listing
from local.stripe.call import Call, Operation
from local.stripe.errors import no_such
from local.stripe.resources.json import Json


def fetch(call: Call) -> Json:
    dispute = call.world.disputes.get(call.path["dispute"])
    if dispute is None:
        raise no_such("dispute", call.path["dispute"], "id", status=404)
    return dispute.render()


def list_all(call: Call) -> Json:
    held = listing.of_payment(call.world.disputes.values(), call)
    return listing.page(held, call.params, "/v1/disputes", "dispute")


OPERATIONS = (
    Operation("list_disputes", "GET /v1/disputes", list_all, listing.OF_PAYMENT),
    Operation("fetch_dispute", "GET /v1/disputes/{dispute}", fetch, frozenset({"expand"})),
)
