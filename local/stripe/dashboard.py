"""Changes that our API does not make: a person at dashboard.stripe.com acts on a payment, or a bank
replaces a saved card or gives up an authorization."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

from local.stripe import authorizations, disputes, refunds
from local.stripe.disputes import Outcome
from local.stripe.errors import no_such, refused
from local.stripe.operations import payment_methods
from local.stripe.resources.charge import Charge
from local.stripe.resources.json import Json
from local.stripe.resources.payment_intent import PaymentIntent
from local.stripe.resources.payment_method import PaymentMethod
from local.stripe.world import World

RENEWED_FOR = 4
"""By how many years a card that replaces an old one is valid longer."""

Action = Callable[[World, PaymentIntent, int | None, str], object]
MethodAction = Callable[[World, PaymentMethod], None]


def act(
    world: World, action: str, payment_intent: str, amount: int | None = None, outcome: str = ""
) -> Json:
    """Act on a payment and return its intent. `amount` None: all. `outcome`: of close_dispute.

    Raises StripeError if Stripe would refuse it, ValueError for an unknown action.
    """
    if action not in ACTIONS:
        raise ValueError(f"unknown action {action!r}, know {', '.join(ACTIONS)}")
    with world.lock:
        world.catch_up()
        intent = world.intents.get(payment_intent)
        if intent is None:
            raise no_such("payment_intent", payment_intent, "payment_intent", status=404)
        ACTIONS[action](world, intent, amount, outcome)
        return intent.render()


def act_on_method(world: World, action: str, payment_method: str) -> Json:
    """Act on a saved payment method and return it.

    Raises StripeError if Stripe would refuse it, ValueError for an unknown action.
    """
    if action not in METHOD_ACTIONS:
        raise ValueError(f"unknown action {action!r}, know {', '.join(METHOD_ACTIONS)}")
    with world.lock:
        world.catch_up()
        method = world.methods.get(payment_method)
        if method is None:
            raise no_such("PaymentMethod", payment_method, "payment_method", status=404)
        if method.customer is None:
            raise refused(f"The payment method {method.id} is not attached to a customer.")
        if action != "detach" and method.card.kind != "card":
            raise refused(f"The payment method {method.id} is no card.")
        METHOD_ACTIONS[action](world, method)
        return method.render()


def _renew(world: World, method: PaymentMethod) -> None:
    """The bank sent a new card. Stripe's account updater gets its number and expiry.

    Source: Stripe, "Card account updates".
    """
    before, number = method.render(), method.card.number
    method.card = replace(method.card, number=str(int(number) + 1))
    method.exp_year += RENEWED_FOR
    world.emit("payment_method.automatically_updated", method, before)


def _expire(world: World, method: PaymentMethod) -> None:
    """Somebody corrects the expiry: the card was valid until the end of last month."""
    before = method.render()
    expired = datetime.fromtimestamp(world.now(), UTC).replace(day=1) - timedelta(days=1)
    method.exp_month, method.exp_year = expired.month, expired.year
    world.emit("payment_method.updated", method, before)


def _dispute(world: World, intent: PaymentIntent, amount: int | None, _: str) -> object:
    return disputes.open_dispute(world, _charge(world, intent), amount)


def _inquire(world: World, intent: PaymentIntent, amount: int | None, _: str) -> object:
    return disputes.open_dispute(world, _charge(world, intent), amount, inquiry=True)


def _close_dispute(world: World, intent: PaymentIntent, _: int | None, outcome: str) -> object:
    for known in get_args(Outcome):
        if outcome == known:
            return disputes.close(world, _charge(world, intent), known)
    raise ValueError("the outcome of a dispute is won or lost")


def _charge(world: World, intent: PaymentIntent) -> Charge:
    if intent.latest_charge is None:
        raise refused(f"The payment {intent.id} has no charge.")
    return world.charges[intent.latest_charge]


ACTIONS: dict[str, Action] = {
    "refund": lambda world, intent, amount, _: refunds.refund(
        world, _charge(world, intent), amount, "requested_by_customer"
    ),
    "capture": lambda world, intent, amount, _: authorizations.capture(world, intent, amount),
    "cancel": lambda world, intent, *_: authorizations.cancel(
        world, intent, "requested_by_customer"
    ),
    "expire": lambda world, intent, *_: authorizations.lapse(world, intent),
    "decline_captures": lambda world, intent, *_: authorizations.decline_captures(world, intent),
    "dispute": _dispute,
    "inquire": _inquire,
    "close_dispute": _close_dispute,
}
METHOD_ACTIONS: dict[str, MethodAction] = {
    "renew": _renew,
    "expire": _expire,
    "detach": lambda world, method: payment_methods.detach_from(
        world, world.customers[str(method.customer)], method
    ),
}
