"""/v1/refunds. Source: Stripe API reference, "Refunds"."""

from local.stripe import checks, listing, refunding
from local.stripe.call import Call, Operation
from local.stripe.errors import missing_parameter, no_such, refused
from local.stripe.resources.charge import Charge
from local.stripe.resources.json import Json


def create(call: Call) -> Json:
    params = call.params
    metadata = params.merged_metadata({})
    charge, amount = _charge(call), params.integer("amount")
    made = refunding.refund(call.world, charge, amount, params.text("reason"), metadata)
    return made.render()


def fetch(call: Call) -> Json:
    refund = call.world.refunds.get(call.path["refund"])
    if refund is None:
        raise no_such("refund", call.path["refund"], "id", status=404)
    return refund.render()


def list_all(call: Call) -> Json:
    held = listing.of_payment(call.world.refunds.values(), call)
    return listing.page(held, call.params, "/v1/refunds", "refund")


def _charge(call: Call) -> Charge:
    """The charge that was named, or the last one of the intent that was."""
    world, params = call.world, call.params
    named = checks.identifier(params, "charge")
    payment = checks.identifier(params, "payment_intent")
    if payment is None:
        if named is None:
            raise missing_parameter("payment_intent")
        if named not in world.charges:
            raise no_such("charge", named, "charge")
        return world.charges[named]
    intent = world.intents.get(payment)
    if intent is None:
        raise no_such("payment_intent", payment, "payment_intent")
    if intent.latest_charge is None:
        message = f"This PaymentIntent ({intent.id}) does not have a successful charge to refund."
        raise refused(message, "payment_intent")
    if named not in (None, intent.latest_charge):
        raise refused(f"The charge {named} is not one of the PaymentIntent {intent.id}.", "charge")
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
