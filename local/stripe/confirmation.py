"""What a confirm does to an intent: authentication, the charge, a decline.

Only this module charges cards. Each confirm that succeeds makes one charge.
Source: Stripe, "PaymentIntents lifecycle"; docs/providers.md, section G.
"""

from dataclasses import replace
from functools import partial

from local.stripe import authorizations, checks, disputes
from local.stripe.cards import render_decline
from local.stripe.errors import card_error, missing_parameter, refused
from local.stripe.operations import payment_methods
from local.stripe.params import Params
from local.stripe.resources.charge import Charge
from local.stripe.resources.json import Json
from local.stripe.resources.payment_intent import CONFIRMABLE, PaymentIntent
from local.stripe.resources.payment_method import PaymentMethod
from local.stripe.world import World, new_id

AUTHENTICATION_FAILED = {
    "code": "payment_intent_authentication_failure",
    "doc_url": "https://stripe.com/docs/error-codes/payment-intent-authentication-failure",
    "message": (
        "The provided PaymentMethod has failed authentication. You can provide "
        "payment_method_data or a new PaymentMethod to attempt to fulfill this PaymentIntent "
        "again."
    ),
    "type": "invalid_request_error",
}


def put_method(intent: PaymentIntent, method: PaymentMethod) -> None:
    """Put a payment method on an intent.

    Raises StripeError if the method belongs to another customer, may not be used again, or is of a
    type that cannot pay this intent.
    """
    if method.customer is not None and method.customer != intent.customer:
        raise refused(
            f"The payment method {method.id} belongs to the Customer {method.customer}. Please "
            "include that Customer in the `customer` parameter on the PaymentIntent.",
            "payment_method",
        )
    if method.customer is None and (method.spent or method.used_by not in (None, intent.id)):
        raise refused(payment_methods.SPENT, "payment_method")
    check_type(intent, method)
    intent.method = method


def check_type(intent: PaymentIntent, method: PaymentMethod) -> None:
    """Raises StripeError if a method of this type cannot pay the intent."""
    kind = method.card.kind
    if kind not in intent.types():
        raise refused(
            f"The PaymentMethod provided ({kind}) is not allowed for this PaymentIntent. Please "
            f"attach a PaymentMethod of one of the following types: {', '.join(intent.types())}.",
            "payment_method",
        )


def confirm(world: World, intent: PaymentIntent, params: Params, *, browser: bool = False) -> None:
    """Try to charge the method. `browser`: with Stripe.js, which needs no return_url.

    Raises StripeError: 400 if the intent cannot be confirmed like this, 402 for a decline.
    """
    if intent.status not in CONFIRMABLE:
        raise checks.unexpected_state(
            intent,
            f"You cannot confirm this PaymentIntent because it has a status of {intent.status}. "
            "Only a PaymentIntent with one of the following statuses may be confirmed: "
            "requires_confirmation, requires_action.",
        )
    token = checks.identifier(params, "payment_method")
    if token is None and intent.method is None:
        raise checks.unexpected_state(
            intent,
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can "
            "either update the PaymentIntent with a payment method and then confirm it again, or "
            "confirm it again directly with a payment method or ConfirmationToken.",
        )
    return_url = checks.url(params, "return_url")
    if not browser:
        _check_return_url(intent, params)
    receipt_email = checks.email(params, "receipt_email")
    put_method(intent, payment_methods.take(world, token) if token else _method_of(intent))
    if params.has("receipt_email"):
        intent.receipt_email = receipt_email
    if params.has("setup_future_usage"):
        intent.setup_future_usage = params.text("setup_future_usage")
    intent.return_url, intent.next_action, intent.last_error = return_url, None, None
    _attempt(world, intent, off_session=params.flag("off_session"))


def _check_return_url(intent: PaymentIntent, params: Params) -> None:
    given = params.has("return_url")
    if intent.redirects and not given and not params.flag("use_stripe_sdk"):
        raise missing_parameter("return_url")
    if given and intent.automatic and not intent.redirects:
        raise refused(
            "The `return_url` parameter cannot be used: this PaymentIntent was created with "
            "`automatic_payment_methods[allow_redirects]` set to `never`.",
            "return_url",
        )


def _attempt(world: World, intent: PaymentIntent, *, off_session: bool) -> None:
    method = _method_of(intent)
    method.used_by = intent.id
    need = method.card.authentication
    if method.card.kind == "us_bank_account":
        _debit(world, intent)
    elif need == "none" or (need == "unless_set_up" and method.set_up):
        raise_if_declined(intent, settle(world, intent))
    elif off_session:
        raise_if_declined(intent, _decline(world, intent, "authentication_required"))
    else:
        intent.status = "requires_action"
        intent.next_action = _next_action(world, intent)
        world.emit("payment_intent.requires_action", intent)


def _next_action(world: World, intent: PaymentIntent) -> Json:
    page = f"{world.url}/_sim/3ds/{intent.id}"
    if intent.return_url is None:
        sdk_action = {"type": "three_d_secure_redirect", "stripe_js": page}
        return {"type": "use_stripe_sdk", "use_stripe_sdk": sdk_action}
    redirect = {"return_url": intent.return_url, "url": page}
    return {"type": "redirect_to_url", "redirect_to_url": redirect}


def raise_if_declined(intent: PaymentIntent, charge: Charge) -> None:
    """Raises StripeError 402 for a charge that was declined."""
    if charge.decline is not None:
        fields = render_decline(charge.decline, charge.id)
        raise card_error(
            fields, payment_intent=intent.render(), payment_method=charge.method.render()
        )


def authenticate(world: World, intent: PaymentIntent, *, success: bool) -> None:
    """Finish 3-D Secure for an intent that waits for it: charge the method, or fail."""
    if success:
        settle(world, intent, authenticated=True)
        return
    method = _method_of(intent)
    _spend(world, intent, method, paid=False)
    _fail(world, intent, AUTHENTICATION_FAILED | {"payment_method": method.render()})


def settle(world: World, intent: PaymentIntent, *, authenticated: bool = False) -> Charge:
    """Charge the intent's method. The charge says whether it was declined."""
    method = _method_of(intent)
    if method.card.decline is not None:
        return _decline(world, intent, method.card.decline)
    charge = _new_charge(world, intent, method)
    charge.authenticated = authenticated
    intent.next_action = None
    _spend(world, intent, method, paid=True)
    if intent.capture_method == "manual":
        world.emit("charge.succeeded", charge)
        authorizations.hold(world, intent, charge)
    else:
        _take_money(world, intent, charge)
    return charge


def _take_money(world: World, intent: PaymentIntent, charge: Charge) -> None:
    charge.captured, charge.amount_captured = True, intent.amount
    intent.status, intent.amount_received = "succeeded", intent.amount
    world.emit("charge.succeeded", charge)
    world.emit("payment_intent.succeeded", intent)
    disputes.schedule_dispute(world, charge)


def _decline(world: World, intent: PaymentIntent, reason: str) -> Charge:
    charge = _new_charge(world, intent, _method_of(intent))
    _fail_charge(world, intent, charge, reason)
    return charge


def _fail_charge(world: World, intent: PaymentIntent, charge: Charge, reason: str) -> None:
    method = _method_of(intent)
    charge.decline = reason
    world.emit("charge.failed", charge)
    _spend(world, intent, method, paid=False)
    _fail(world, intent, render_decline(reason, charge.id) | {"payment_method": method.render()})


def _debit(world: World, intent: PaymentIntent) -> None:
    """Ask the bank for the money. It answers after `world.delays.debits`.

    Stripe also asks for the customer's mandate (`mandate_data`); the simulator does not. Source:
    Stripe, "ACH Direct Debit".
    """
    charge = _new_charge(world, intent, _method_of(intent))
    charge.pending, intent.status = True, "processing"
    world.emit("charge.pending", charge)
    world.emit("payment_intent.processing", intent)
    world.schedule(world.delays.debits, partial(_end_debit, world, intent, charge))


def _end_debit(world: World, intent: PaymentIntent, charge: Charge) -> None:
    method, charge.pending = _method_of(intent), False
    if method.card.decline is not None:
        _fail_charge(world, intent, charge, method.card.decline)
        return
    _spend(world, intent, method, paid=True)
    _take_money(world, intent, charge)


def _fail(world: World, intent: PaymentIntent, error: Json) -> None:
    """The intent has no method again, and the reason. Another method can pay."""
    intent.last_error = error
    intent.status, intent.method, intent.next_action = "requires_payment_method", None, None
    world.emit("payment_intent.payment_failed", intent)


def _new_charge(world: World, intent: PaymentIntent, method: PaymentMethod) -> Charge:
    charge = Charge(
        id=new_id("ch" if method.card.kind == "card" else "py"),
        created=int(world.now()),
        amount=intent.amount,
        currency=intent.currency,
        payment_intent=intent.id,
        method=replace(method),  # a copy: the bank can renew the card later
        customer=intent.customer,
        captured=False,
        description=intent.description,
        receipt_email=intent.receipt_email,
        shipping=intent.shipping,
        statement_descriptor=intent.statement_descriptor,
        statement_descriptor_suffix=intent.statement_descriptor_suffix,
        metadata=dict(intent.metadata),
    )
    world.charges[charge.id] = charge
    intent.latest_charge = charge.id
    return charge


def _spend(world: World, intent: PaymentIntent, method: PaymentMethod, *, paid: bool) -> None:
    """A method without a customer serves one attempt; setup_future_usage saves it."""
    method.used_by = None
    if paid and intent.setup_future_usage is not None:
        method.set_up = True
        if intent.customer is not None and method.customer is None:
            method.customer = intent.customer
            world.emit("payment_method.attached", method)
    if method.customer is None:
        method.spent = True
        method.savable = paid and intent.setup_future_usage is not None


def _method_of(intent: PaymentIntent) -> PaymentMethod:
    if intent.method is None:
        raise LookupError(f"{intent.id} has no payment method")
    return intent.method
