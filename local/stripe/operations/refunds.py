"""/v1/refunds. Source: Stripe API reference, "Refunds"."""

from local.stripe import checks, listing, refunds
from local.stripe.errors import missing_parameter, no_such, refused
from local.stripe.request import Operation, StripeRequest
from local.stripe.resources.charge import Charge
from local.stripe.resources.json import Json


def create(request: StripeRequest) -> Json:
    """Refund a charge, all that is left or a part."""
    params = request.params
    metadata = params.merged_metadata({})
    charge, amount = _charge(request), params.integer("amount")
    made = refunds.refund(request.world, charge, amount, params.text("reason"), metadata)
    return made.render()


def fetch(request: StripeRequest) -> Json:
    """Return a refund. Raises StripeError 404 for an unknown id."""
    refund = request.world.refunds.get(request.path["refund"])
    if refund is None:
        raise no_such("refund", request.path["refund"], "id", status=404)
    return refund.render()


def list_all(request: StripeRequest) -> Json:
    """List refunds, of one payment or all."""
    found = listing.of_payment(request.world.refunds.values(), request)
    return listing.page(found, request.params, "/v1/refunds", "refund")


def _charge(request: StripeRequest) -> Charge:
    """Return the charge in the request, or the latest one of its intent."""
    world, params = request.world, request.params
    charge_id = checks.identifier(params, "charge")
    payment = checks.identifier(params, "payment_intent")
    if payment is None:
        if charge_id is None:
            raise missing_parameter("payment_intent")
        if charge_id not in world.charges:
            raise no_such("charge", charge_id, "charge")
        return world.charges[charge_id]
    intent = world.intents.get(payment)
    if intent is None:
        raise no_such("payment_intent", payment, "payment_intent")
    if intent.latest_charge is None:
        message = f"This PaymentIntent ({intent.id}) does not have a successful charge to refund."
        raise refused(message, "payment_intent")
    if charge_id not in (None, intent.latest_charge):
        raise refused(
            f"The charge {charge_id} is not one of the PaymentIntent {intent.id}.", "charge"
        )
    return world.charges[intent.latest_charge]


OPERATIONS = (
    Operation(
        "refund",
        "POST /v1/refunds",
        create,
        frozenset({"amount", "charge", "expand", "metadata", "payment_intent", "reason"}),
    ),
    Operation("list_refunds", "GET /v1/refunds", list_all, listing.OF_PAYMENT),
    Operation("fetch_refund", "GET /v1/refunds/{refund}", fetch, frozenset({"expand"})),
)
