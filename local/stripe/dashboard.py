"""What a person does at dashboard.stripe.com: it changes payments behind our back."""

from collections.abc import Callable
from typing import get_args

from local.stripe import disputing, holding, refunding
from local.stripe.disputing import Outcome
from local.stripe.errors import no_such, refused
from local.stripe.resources.charge import Charge
from local.stripe.resources.json import Json
from local.stripe.resources.payment_intent import PaymentIntent
from local.stripe.world import World

Action = Callable[[World, PaymentIntent, int | None, str], object]


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
