"""/v1/payment_intents. Source: Stripe API reference, "Payment Intents"."""

from dataclasses import replace

from local.stripe import authorizations, checks, confirmation, listing, money
from local.stripe.errors import StripeError, invalid, no_such, refused
from local.stripe.operations import payment_methods
from local.stripe.params import Params
from local.stripe.request import Operation, StripeRequest
from local.stripe.resources.json import Json
from local.stripe.resources.payment_intent import CONFIRMABLE, PaymentIntent
from local.stripe.world import World, new_id, random_text

DETAILS = frozenset(
    {
        "amount",
        "capture_method",
        "currency",
        "customer",
        "description",
        "expand",
        "metadata",
        "payment_method",
        "receipt_email",
        "setup_future_usage",
        "shipping",
        "statement_descriptor",
        "statement_descriptor_suffix",
    }
)
METHOD_CHOICES = (
    "automatic_payment_methods",
    "allowed_payment_method_types",
    "excluded_payment_method_types",
)
WITHOUT_REDIRECT = {"card", "us_bank_account"}
CONFIRMATION = frozenset({"off_session", "return_url", "use_stripe_sdk"})
MONEY_FIELDS = (
    "amount",
    "capture_method",
    "currency",
    "customer",
    "payment_method",
    "setup_future_usage",
)
"""They cannot change after the money moved. The other fields can change in any state."""


def create(request: StripeRequest) -> Json:
    """Create an intent; with `confirm` it is also confirmed."""
    return open_intent(request, new_id("pi")).render()


def open_intent(request: StripeRequest, identifier: str) -> PaymentIntent:
    """Create an intent with this id. Raises StripeError if the parameters are refused."""
    world, params = request.world, request.params
    currency = money.check_currency(str(params.text("currency")))
    amount = money.check_amount(params.integer("amount") or 0, currency)
    intent = PaymentIntent(
        id=identifier,
        created=int(world.now()),
        amount=amount,
        currency=currency,
        client_secret=f"{identifier}_secret_{random_text(25)}",
    )
    _choose_methods(intent, params)
    _write(world, intent, params)
    if not params.flag("confirm"):
        for name in sorted(CONFIRMATION):
            if params.has(name):
                raise refused(f"`{name}` can only be used when `confirm` is `true`.", name)
        return _open(world, intent)
    # _write has put the method on the intent: taking an alias again would make a second one
    others = {name: each for name, each in params.values.items() if name != "payment_method"}
    try:
        confirmation.confirm(world, intent, Params(others))
    except StripeError as error:
        if error.status == 402:  # a declined intent exists, every other refusal creates nothing
            _open(world, intent)
        raise
    return _open(world, intent)


def _open(world: World, intent: PaymentIntent) -> PaymentIntent:
    world.intents[intent.id] = intent
    world.emit("payment_intent.created", intent)
    return intent


def fetch(request: StripeRequest) -> Json:
    """Return an intent. Raises StripeError 404 for an unknown id."""
    return find(request).render()


def update(request: StripeRequest) -> Json:
    """Change what was sent. Any update clears the last error.

    A new method, amount or currency has to be confirmed again.
    """
    intent, params = find(request), request.params
    if intent.status not in CONFIRMABLE:
        for name in MONEY_FIELDS:
            if params.has(name):
                raise checks.unexpected_state(
                    intent,
                    f"This PaymentIntent's {name} could not be updated because it has a status of "
                    f"{intent.status}. You may only update the {name} of a PaymentIntent with one "
                    "of the following statuses: requires_payment_method, requires_confirmation, "
                    "requires_action.",
                )
    _write(request.world, intent, params)
    intent.last_error = None
    return intent.render()


def confirm(request: StripeRequest) -> Json:
    """Confirm an intent. Raises StripeError 402 for a decline."""
    intent = find(request)
    confirmation.confirm(request.world, intent, request.params)
    return intent.render()


def cancel(request: StripeRequest) -> Json:
    """Cancel an intent."""
    intent = find(request)
    authorizations.cancel(request.world, intent, request.params.text("cancellation_reason"))
    return intent.render()


def capture(request: StripeRequest) -> Json:
    """Capture an authorization, all of it or a part."""
    intent = find(request)
    metadata = request.params.merged_metadata(intent.metadata)
    authorizations.capture(request.world, intent, request.params.integer("amount_to_capture"))
    intent.metadata = metadata
    return intent.render()


def list_all(request: StripeRequest) -> Json:
    """List intents, of one customer or all."""
    customer = request.params.text("customer")
    if customer is not None and customer not in request.world.customers:
        raise no_such("customer", customer, "customer")
    intents = [
        each
        for each in request.world.intents.values()
        if customer is None or each.customer == customer
    ]
    return listing.page(intents, request.params, "/v1/payment_intents", "payment_intent")


def find(request: StripeRequest) -> PaymentIntent:
    """Return the intent in the path. Raises StripeError 404 for an unknown id."""
    intent = request.world.intents.get(request.path["intent"])
    if intent is None:
        raise no_such("payment_intent", request.path["intent"], "intent", status=404)
    return intent


def _choose_methods(intent: PaymentIntent, params: Params) -> None:
    """Without any of the three, Stripe offers the methods that are switched on in the dashboard."""
    sent = [name for name in METHOD_CHOICES if params.has(name)]
    if len(sent) > 1:
        message = f"Received both {sent[0]} and {sent[1]} parameters. Please pass in only one."
        raise invalid(message, sent[1], "parameters_exclusive")
    automatic = params.table("automatic_payment_methods")
    if automatic.get("enabled") is False:
        intent.automatic, intent.redirects = False, False
    if automatic.get("allow_redirects") == "never":
        intent.redirects = False
    intent.excluded_types = params.texts("excluded_payment_method_types") or None
    intent.allowed_types = params.texts("allowed_payment_method_types") or None
    if intent.allowed_types is not None:
        intent.automatic = False
        intent.redirects = not set(intent.allowed_types) <= WITHOUT_REDIRECT


def _write(world: World, intent: PaymentIntent, params: Params) -> None:
    """Check all fields before any is written: a refused request changes nothing."""
    currency = intent.currency
    if params.has("currency"):
        currency = money.check_currency(str(params.text("currency")))
    amount = params.integer("amount")
    amount = money.check_amount(intent.amount if amount is None else amount, currency)
    receipt_email = checks.email(params, "receipt_email")
    metadata = params.merged_metadata(intent.metadata)
    customer = _customer(world, intent, params)
    token = checks.identifier(params, "payment_method")
    before = replace(intent)
    # the method must fit the customer, the currency and the capture method that were sent with it
    intent.customer, intent.amount, intent.currency = customer, amount, currency
    if params.has("capture_method"):
        intent.capture_method = params.text("capture_method") or intent.capture_method
    try:
        if token is not None:
            confirmation.put_method(intent, payment_methods.take(world, token))
        elif intent.method is not None:
            confirmation.check_type(intent, intent.method)
    except StripeError:
        vars(intent).update(vars(before))
        raise
    if token is not None or (amount, currency) != (before.amount, before.currency):
        _require_confirmation(intent)
    intent.metadata = metadata
    if params.has("receipt_email"):
        intent.receipt_email = receipt_email
    if params.has("shipping"):
        intent.shipping = params.table("shipping") or None
    _write_texts(intent, params)


def _write_texts(intent: PaymentIntent, params: Params) -> None:
    for name in (
        "description",
        "setup_future_usage",
        "statement_descriptor",
        "statement_descriptor_suffix",
    ):
        if params.has(name):
            setattr(intent, name, params.text(name))


def _require_confirmation(intent: PaymentIntent) -> None:
    """An authentication is for one method and one amount, so a new one must be confirmed again."""
    intent.next_action = None
    has_method = intent.method is not None
    intent.status = "requires_confirmation" if has_method else "requires_payment_method"


def _customer(world: World, intent: PaymentIntent, params: Params) -> str | None:
    given = checks.identifier(params, "customer")
    if given is None:
        return intent.customer
    if world.existing_customer(given) is None:
        raise no_such("customer", given, "customer")
    if intent.customer not in (None, given):
        raise refused(
            "You cannot modify `customer` on a PaymentIntent once it already has been set. To "
            "fulfill a payment with a different Customer, cancel this PaymentIntent and create a "
            "new one.",
            "customer",
        )
    return given


ONE = "/v1/payment_intents/{intent}"
OPERATIONS = (
    Operation(
        "create_payment",
        "POST /v1/payment_intents",
        create,
        DETAILS | CONFIRMATION | frozenset(METHOD_CHOICES) | {"confirm"},
    ),
    Operation(
        "list_payments",
        "GET /v1/payment_intents",
        list_all,
        frozenset({"created", "customer", "ending_before", "expand", "limit", "starting_after"}),
    ),
    Operation("fetch", f"GET {ONE}", fetch, frozenset({"expand"})),
    Operation("update_payment", f"POST {ONE}", update, DETAILS),
    Operation(
        "confirm",
        f"POST {ONE}/confirm",
        confirm,
        CONFIRMATION
        | frozenset({"expand", "payment_method", "receipt_email", "setup_future_usage"}),
    ),
    Operation("cancel", f"POST {ONE}/cancel", cancel, frozenset({"cancellation_reason", "expand"})),
    Operation(
        "capture",
        f"POST {ONE}/capture",
        capture,
        frozenset({"amount_to_capture", "expand", "metadata"}),
    ),
)
