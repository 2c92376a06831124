"""What a person does at dashboard.stripe.com, and what a bank tells Stripe of a saved card: it
changes payments and methods behind our back."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

from local.stripe import disputing, holding, refunding
from local.stripe.disputing import Outcome
from local.stripe.errors import no_such, refused
from local.stripe.operations import payment_methods
from local.stripe.resources.charge import Charge
from local.stripe.resources.json import Json
from local.stripe.resources.payment_intent import PaymentIntent
from local.stripe.resources.payment_method import PaymentMethod
from local.stripe.world import World

RENEWED_FOR = 4
"""Years that a card is good for which a bank sends in an old one's place."""

Action = Callable[[World, PaymentIntent, int | None, str], object]
MethodAction = Callable[[World, PaymentMethod], None]


def act(
    world: World, action: str, payment_intent: str, amount: int | None = None, outcome: str = ""
) -> Json:
    """Return the intent afterwards. `amount` None is all of it; `outcome` is of close_dispute.

    Raises StripeError where Stripe would refuse it, ValueError for an action that is none.
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
    """Return the saved method afterwards.

    Raises StripeError where Stripe would refuse it, ValueError for an action that is none.
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
        METHOD_ACTIONS[action](world, method)
        return method.render()


def _renew(world: World, method: PaymentMethod) -> None:
    """The bank has sent another card: Stripe's account updater learns its number and expiry.

    Source: Stripe, "Card account updates".
    """
    before, number = method.render(), method.card.number
    method.card = replace(method.card, number=str(int(number) + 1))
    method.exp_year += RENEWED_FOR
    world.emit("payment_method.automatically_updated", method, before)


def _expire(world: World, method: PaymentMethod) -> None:
    """Somebody corrects the expiry: the card was good until the end of last month."""
    before = method.render()
    over = datetime.fromtimestamp(world.now(), UTC).replace(day=1) - timedelta(days=1)
    method.exp_month, method.exp_year = over.month, over.year
    world.emit("payment_method.updated", method, before)


def _dispute(world: World, intent: PaymentIntent, amount: int | None, _: str) -> object:
    return disputing.open_dispute(world, _charge(world, intent), amount)


def _inquire(world: World, intent: PaymentIntent, amount: int | None, _: str) -> object:
    return disputing.open_dispute(world, _charge(world, intent), amount, inquiry=True)


def _close_dispute(world: World, intent: PaymentIntent, _: int | None, outcome: str) -> object:
    for known in get_args(Outcome):
        if outcome == known:
            return disputing.close(world, _charge(world, intent), known)
    raise ValueError("the outcome of a dispute is won or lost")


def _charge(world: World, intent: PaymentIntent) -> Charge:
    if intent.latest_charge is None:
        raise refused(f"The payment {intent.id} has no charge.")
    return world.charges[intent.latest_charge]


ACTIONS: dict[str, Action] = {
    "refund": lambda world, intent, amount, _: refunding.refund(
        world, _charge(world, intent), amount, "requested_by_customer"
    ),
    "capture": lambda world, intent, amount, _: holding.capture(world, intent, amount),
    "cancel": lambda world, intent, *_: holding.cancel(world, intent, "requested_by_customer"),
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
