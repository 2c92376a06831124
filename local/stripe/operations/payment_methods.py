"""/v1/payment_methods. Source: Stripe API reference, "Payment Methods"; "Testing".

`pm_card_visa` and its like are taken wherever an id is: each use mints a fresh `pm_…`.
"""

from datetime import UTC, datetime

from local.stripe import checks, listing
from local.stripe.call import Call, Operation
from local.stripe.cards import Card, by_alias, by_token, render_decline
from local.stripe.errors import card_error, missing_parameter, no_such, refused, unmodelled
from local.stripe.params import Params
from local.stripe.resources.customer import Customer
from local.stripe.resources.json import Json
from local.stripe.resources.payment_method import NO_ADDRESS, PaymentMethod
from local.stripe.world import World, new_id

SPENT = (
    "The provided PaymentMethod was previously used with a PaymentIntent without Customer "
    "attachment, shared with a connected account without Customer attachment, or was detached "
    "from a Customer. It may not be used again. To use a PaymentMethod multiple times, you must "
    "attach it to a Customer first."
)
LISTING = frozenset({"customer", "ending_before", "expand", "limit", "starting_after", "type"})


def mint(world: World, card: Card) -> PaymentMethod:
    """Stripe's test cards expire a year from now."""
    today = datetime.fromtimestamp(world.now(), UTC)
    method = PaymentMethod(
        id=new_id("pm"),
        created=int(world.now()),
        card=card,
        exp_month=today.month,
        exp_year=today.year + 1,
    )
    world.methods[method.id] = method
    return method


def take(world: World, token: str, *, status: int = 400) -> PaymentMethod:
    """Return the method of an id, or a fresh one of an alias."""
    card = by_alias(token)
    if card is not None:
        return mint(world, card)
    method = world.methods.get(token)
    if method is None:
        raise no_such("PaymentMethod", token, "payment_method", status=status)
    return method


def attach_to(world: World, method: PaymentMethod, customer: str) -> None:
    """Raises StripeError 402 where the card is refused already when it is saved."""
    if method.customer == customer:
        return
    if method.customer is not None:
        message = "The payment method you provided has already been attached to a customer."
        raise refused(message, "payment_method")
    if (method.spent and not method.savable) or method.bearer is not None:
        raise refused(SPENT, "payment_method")
    if method.card.decline is not None and not method.card.attachable:
        raise card_error(render_decline(method.card.decline, None))
    method.customer, method.spent, method.savable = customer, False, False
    world.emit("payment_method.attached", method)


def detach_from(world: World, holder: Customer, method: PaymentMethod) -> None:
    """Final: a detached method can never be used again."""
    if holder.default_payment_method == method.id:
        holder.default_payment_method = None
    before = method.render()
    method.customer, method.spent = None, True
    world.emit("payment_method.detached", method, before)


def create(call: Call) -> Json:
    """Only from a test token: card numbers are Stripe.js's business, never a server's."""
    if call.params.text("type") is None:
        raise missing_parameter("type")
    if call.params.text("type") != "card":
        raise unmodelled("type")
    given = call.params.table("card")
    if not given:
        raise missing_parameter("card")
    if "number" in given:
        message = "Sending credit card numbers directly to the Stripe API is generally unsafe."
        raise refused(message)
    card = by_token(str(given["token"]))
    if card is None:
        raise no_such("token", str(given["token"]), "card[token]")
    method = mint(call.world, card)
    _write(method, call.params)
    return method.render()


def fetch(call: Call) -> Json:
    return _addressed(call).render()


def update(call: Call) -> Json:
    method = _addressed(call)
    if method.customer is None:
        message = "You must save this PaymentMethod to a customer before you can update it."
        raise refused(message)
    before = method.render()
    _write(method, call.params)
    call.world.emit("payment_method.updated", method, before)
    return method.render()


def attach(call: Call) -> Json:
    customer = checks.identifier(call.params, "customer")
    if customer is None:
        raise missing_parameter("customer")
    method = _addressed(call)
    if call.world.live_customer(customer) is None:
        raise no_such("customer", customer, "customer")
    attach_to(call.world, method, customer)
    return method.render()


def detach(call: Call) -> Json:
    method = _addressed(call)
    if method.customer is None:
        message = (
            "The payment method you provided is not attached to a customer so detachment is "
            "impossible."
        )
        raise refused(message, "payment_method")
    detach_from(call.world, call.world.customers[method.customer], method)
    return method.render()


def list_all(call: Call) -> Json:
    return _list(call, call.params.text("customer"), "/v1/payment_methods", "customer", 400)


def list_of_customer(call: Call) -> Json:
    customer = call.path["customer"]
    return _list(call, customer, f"/v1/customers/{customer}/payment_methods", "id", 404)


def _list(call: Call, customer: str | None, url: str, param: str, status: int) -> Json:
    """Without a customer the list is empty: unattached methods are never listed."""
    if customer is not None and call.world.live_customer(customer) is None:
        raise no_such("customer", customer, param, status=status)
    asked = call.params.text("type") or "card"
    held = [
        each
        for each in call.world.methods.values()
        if customer is not None and each.customer == customer and asked == "card"
    ]
    return listing.page(held, call.params, url, "PaymentMethod")


def _addressed(call: Call) -> PaymentMethod:
    return take(call.world, call.path["payment_method"], status=404)


def _write(method: PaymentMethod, params: Params) -> None:
    method.metadata = params.merged_metadata(method.metadata)
    details = params.table("billing_details")
    sent: Json = {key: value or None for key, value in details.items()}
    address = details.get("address")
    if isinstance(address, dict):
        sent["address"] = NO_ADDRESS | address
    method.billing_details = method.billing_details | sent


OPERATIONS = (
    Operation(
        "create_method",
        "POST /v1/payment_methods",
        create,
        frozenset({"billing_details", "card", "expand", "metadata", "type"}),
    ),
    Operation("list_methods", "GET /v1/payment_methods", list_all, LISTING),
    Operation(
        "list_methods",
        "GET /v1/customers/{customer}/payment_methods",
        list_of_customer,
        LISTING - {"customer"},
    ),
    Operation(
        "fetch_method", "GET /v1/payment_methods/{payment_method}", fetch, frozenset({"expand"})
    ),
    Operation(
        "update_method",
        "POST /v1/payment_methods/{payment_method}",
        update,
        frozenset({"billing_details", "expand", "metadata"}),
    ),
    Operation(
        "attach",
        "POST /v1/payment_methods/{payment_method}/attach",
        attach,
        frozenset({"customer", "expand"}),
    ),
    Operation(
        "detach",
        "POST /v1/payment_methods/{payment_method}/detach",
        detach,
        frozenset({"expand"}),
    ),
)
