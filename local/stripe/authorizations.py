"""Authorizations: hold money, capture it, cancel it, or let it expire.

Source: Stripe, "Place a hold on a payment method", "PaymentIntents lifecycle".
"""

from functools import partial

from local.stripe import checks, disputes, money, refunds
from local.stripe.cards import render_decline
from local.stripe.errors import StripeError, card_error, invalid, refused
from local.stripe.resources.charge import Charge
from local.stripe.resources.payment_intent import CONFIRMABLE, PaymentIntent
from local.stripe.world import World

AUTHORIZED_FOR = 7 * 24 * 3600
"""Seconds until an uncaptured card authorization expires. Source: Stripe, "Place a hold"."""


def hold(world: World, intent: PaymentIntent, charge: Charge) -> None:
    """Reserve the money. What is not captured in time is released."""
    charge.expires = charge.created + AUTHORIZED_FOR
    intent.status, intent.amount_capturable = "requires_capture", intent.amount
    world.emit("payment_intent.amount_capturable_updated", intent)
    world.schedule(AUTHORIZED_FOR, partial(_expire, world, intent))


def capture(world: World, intent: PaymentIntent, amount: int | None) -> None:
    """Capture the money once, all (None) or a part. The rest is released.

    Raises StripeError in another state, for more than was authorized, or if the bank refuses.
    """
    check_capturable(intent)
    amount = intent.amount_capturable if amount is None else amount
    if amount < 1:
        message = "This value must be greater than or equal to 1."
        raise invalid(message, "amount_to_capture", "parameter_invalid_integer")
    if amount > intent.amount_capturable:
        message = f"The amount to capture exceeds the {intent.amount_capturable} authorized."
        raise refused(message, "amount_to_capture", "amount_too_large")
    money.check_decimals(amount, intent.currency, "amount_to_capture")
    charge = world.charges[str(intent.latest_charge)]
    _check_hold(world, intent, charge)
    before = charge.render()
    charge.captured, charge.amount_captured = True, amount
    if amount < charge.amount:
        refunds.release(world, charge, charge.amount - amount)
    intent.status, intent.amount_received, intent.amount_capturable = "succeeded", amount, 0
    world.emit("charge.captured", charge, before)
    world.emit("payment_intent.succeeded", intent)
    disputes.schedule_dispute(world, charge)


def check_capturable(intent: PaymentIntent) -> None:
    """Raises StripeError if the intent is not authorized."""
    if intent.status != "requires_capture":
        raise checks.unexpected_state(
            intent,
            f"This PaymentIntent could not be captured because it has a status of {intent.status}."
            " Only a PaymentIntent with one of the following statuses may be captured: "
            "requires_capture.",
        )


def lapse(world: World, intent: PaymentIntent) -> None:
    """The bank gives the money free before the seven days are over. Stripe learns it at a capture.

    Raises StripeError if the intent is not authorized.
    """
    check_capturable(intent)
    world.charges[str(intent.latest_charge)].hold = "lapsed"


def decline_captures(world: World, intent: PaymentIntent) -> None:
    """The bank declines to pay what it holds. Raises StripeError if the intent is not authorized.

    Stripe describes no such answer to a capture; a 402 to any call is a decline.
    """
    check_capturable(intent)
    world.charges[str(intent.latest_charge)].hold = "declined"


def _check_hold(world: World, intent: PaymentIntent, charge: Charge) -> None:
    """Raises StripeError: 400 if the money is no longer held, 402 if the bank declines."""
    if charge.hold == "lapsed":
        _expire(world, intent)
        raise StripeError(
            400,
            f"Charge {charge.id} cannot be captured because the charge has expired. You will need "
            "to create a new charge to retry the payment.",
            code="charge_expired_for_capture",
            more={"charge": charge.id, "payment_intent": intent.render()},
        )
    if charge.hold == "declined":
        fields = render_decline("generic_decline", charge.id)
        raise card_error(fields, payment_intent=intent.render())


def cancel(world: World, intent: PaymentIntent, reason: str | None) -> None:
    """Cancel the payment and release an authorization.

    Raises StripeError if it was paid or canceled before.
    """
    if intent.status not in (*CONFIRMABLE, "requires_capture"):
        raise checks.unexpected_state(
            intent,
            f"You cannot cancel this PaymentIntent because it has a status of {intent.status}. "
            "Only a PaymentIntent with one of the following statuses may be canceled: "
            "requires_payment_method, requires_capture, requires_confirmation, requires_action, "
            "processing.",
        )
    if intent.status == "requires_capture":
        _release(world, intent, None)
    _close(world, intent, reason)


def _expire(world: World, intent: PaymentIntent) -> None:
    if intent.status == "requires_capture":
        charge = _release(world, intent, "expired_uncaptured_charge")
        world.emit("charge.expired", charge)
        _close(world, intent, "expired")


def _release(world: World, intent: PaymentIntent, reason: str | None) -> Charge:
    charge = world.charges[str(intent.latest_charge)]
    refunds.release(world, charge, charge.amount, reason)
    return charge


def _close(world: World, intent: PaymentIntent, reason: str | None) -> None:
    intent.status, intent.next_action, intent.amount_capturable = "canceled", None, 0
    intent.canceled_at, intent.cancellation_reason = int(world.now()), reason
    world.emit("payment_intent.canceled", intent)
