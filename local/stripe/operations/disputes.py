"""/v1/disputes. Source: Stripe API reference, "Disputes"."""

from local.stripe import listing
from local.stripe.errors import no_such
from local.stripe.request import Operation, StripeRequest
from local.stripe.resources.json import Json


def fetch(request: StripeRequest) -> Json:
    """Return a dispute. Raises StripeError 404 for an unknown id."""
    dispute = request.world.disputes.get(request.path["dispute"])
    if dispute is None:
        raise no_such("dispute", request.path["dispute"], "id", status=404)
    return dispute.render()


def list_all(request: StripeRequest) -> Json:
    """List disputes, of one payment or all."""
    disputes = listing.of_payment(request.world.disputes.values(), request)
    return listing.page(disputes, request.params, "/v1/disputes", "dispute")


OPERATIONS = (
    Operation("list_disputes", "GET /v1/disputes", list_all, listing.OF_PAYMENT),
    Operation("fetch_dispute", "GET /v1/disputes/{dispute}", fetch, frozenset({"expand"})),
)
