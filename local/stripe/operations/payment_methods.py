"""/v1/payment_methods. Source: Stripe API reference, "Payment Methods"; "Testing".

Aliases like `pm_card_visa` are taken wherever an id is. Each use makes a fresh `pm_…`.
"""

from datetime import UTC, datetime

from local.stripe import checks, listing
from local.stripe.cards import Card, by_alias, by_token, render_decline
from local.stripe.errors import card_error, missing_parameter, no_such, refused, unmodelled
from local.stripe.params import Params
from local.stripe.request import Operation, StripeRequest
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
    """Make a payment method from a test card, which expires in a year, or a bank account."""
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
    """Return the method with this id, or a fresh one for an alias.

    Raises StripeError with `status` for an unknown id.
    """
    card = by_alias(token)
    if card is not None:
        return mint(world, card)
    method = world.methods.get(token)
    if method is None:
        raise no_such("PaymentMethod", token, "payment_method", status=status)
    return method


def attach_to(world: World, method: PaymentMethod, customer: str) -> None:
    """Save a method for a customer.

    Raises StripeError: 400 if it is another customer's or used up, 402 if the card is declined.
    """
    if method.customer == customer:
        return
    if method.customer is not None:
        message = "The payment method you provided has already been attached to a customer."
        raise refused(message, "payment_method")
    if (method.spent and not method.savable) or method.used_by is not None:
        raise refused(SPENT, "payment_method")
    if method.card.decline is not None and not method.card.attachable:
        raise card_error(render_decline(method.card.decline, None))
    method.customer, method.spent, method.savable = customer, False, False
    world.emit("payment_method.attached", method)


def detach_from(world: World, customer: Customer, method: PaymentMethod) -> None:
    """Remove a method from its customer. This is final: it can never be used again."""
    if customer.default_payment_method == method.id:
        customer.default_payment_method = None
    before = method.render()
    method.customer, method.spent = None, True
    world.emit("payment_method.detached", method, before)


def create(request: StripeRequest) -> Json:
    """Create a method from a test token. Card numbers are only for Stripe.js, not for servers."""
    if request.params.text("type") is None:
        raise missing_parameter("type")
    if request.params.text("type") != "card":
        raise unmodelled("type")
    given = request.params.table("card")
    if not given:
        raise missing_parameter("card")
    if "number" in given:
        message = "Sending credit card numbers directly to the Stripe API is generally unsafe."
        raise refused(message)
    card = by_token(str(given["token"]))
    if card is None:
        raise no_such("token", str(given["token"]), "card[token]")
    method = mint(request.world, card)
    _write(method, request.params)
    return method.render()


def fetch(request: StripeRequest) -> Json:
    """Return a payment method. Raises StripeError 404 for an unknown id."""
    return _method_in_path(request).render()


def update(request: StripeRequest) -> Json:
    """Change a saved method. Raises StripeError if it has no customer."""
    method = _method_in_path(request)
    if method.customer is None:
        message = "You must save this PaymentMethod to a customer before you can update it."
        raise refused(message)
    before = method.render()
    _write(method, request.params)
    request.world.emit("payment_method.updated", method, before)
    return method.render()


def attach(request: StripeRequest) -> Json:
    """Save a method for a customer."""
    customer = checks.identifier(request.params, "customer")
    if customer is None:
        raise missing_parameter("customer")
    method = _method_in_path(request)
    if request.world.existing_customer(customer) is None:
        raise no_such("customer", customer, "customer")
    attach_to(request.world, method, customer)
    return method.render()


def detach(request: StripeRequest) -> Json:
    """Remove a method from its customer."""
    method = _method_in_path(request)
    if method.customer is None:
        message = (
            "The payment method you provided is not attached to a customer so detachment is "
            "impossible."
        )
        raise refused(message, "payment_method")
    detach_from(request.world, request.world.customers[method.customer], method)
    return method.render()


def list_all(request: StripeRequest) -> Json:
    """List the methods of the customer in the query."""
    return _list(request, request.params.text("customer"), "/v1/payment_methods", "customer", 400)


def list_of_customer(request: StripeRequest) -> Json:
    """List the methods of the customer in the path."""
    customer = request.path["customer"]
    return _list(request, customer, f"/v1/customers/{customer}/payment_methods", "id", 404)


def _list(request: StripeRequest, customer: str | None, url: str, param: str, status: int) -> Json:
    """Without a customer the list is empty: methods without a customer are never listed."""
    if customer is not None and request.world.existing_customer(customer) is None:
        raise no_such("customer", customer, param, status=status)
    kind = request.params.text("type") or "card"
    methods = [
        each
        for each in request.world.methods.values()
        if customer is not None and each.customer == customer and each.card.kind == kind
    ]
    return listing.page(methods, request.params, url, "PaymentMethod")


def _method_in_path(request: StripeRequest) -> PaymentMethod:
    return take(request.world, request.path["payment_method"], status=404)


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
