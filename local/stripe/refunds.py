"""Refunds: how much of a charge can be refunded, and how the bank ends it.

Source: Stripe API reference, "Refunds"; Stripe, "Testing" (cards whose refunds are late or fail).
"""

from collections.abc import Mapping
from functools import partial

from local.stripe import disputes, money
from local.stripe.errors import invalid, refused
from local.stripe.resources.charge import Charge
from local.stripe.resources.json import Json
from local.stripe.resources.refund import Refund
from local.stripe.world import World, new_id


def refund(
    world: World,
    charge: Charge,
    amount: int | None,
    reason: str | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Refund:
    """Refund captured money. `amount` None: all that is left.

    Raises StripeError if nothing was captured, or less than `amount` is left.
    """
    if not charge.captured:
        raise refused(
            f"This PaymentIntent ({charge.payment_intent}) does not have a successful charge to "
            "refund."
        )
    dispute = disputes.of_charge(world, charge)
    if dispute is not None and not dispute.refundable:
        message = f"Charge {charge.id} has been charged back; cannot issue a refund."
        raise refused(message, code="charge_disputed")
    left = charge.amount - charge.amount_refunded
    if left == 0:
        message = f"Charge {charge.id} has already been refunded."
        raise refused(message, code="charge_already_refunded")
    amount = left if amount is None else amount
    if amount < 1:
        raise invalid("Invalid positive integer", "amount", "parameter_invalid_integer")
    if amount > left:
        message = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
        raise refused(message, "amount", "amount_too_large")
    money.check_decimals(amount, charge.currency)
    made = _new(world, charge, amount, reason)
    made.metadata = dict(metadata or {})
    _settle(world, charge, made)
    _record(world, charge, made)
    return made


def release(world: World, charge: Charge, amount: int, reason: str | None = None) -> None:
    """Release authorized money that was not captured. At Stripe this is a refund too.

    So `amount_refunded` of a charge also counts money that never moved. Sources: Stripe API
    reference, "The Refund object" (reason `expired_uncaptured_charge`); woocommerce-gateway-stripe,
    issue 1073, which shows the charge of a partial capture.
    """
    made = _new(world, charge, amount, reason)
    made.reversal = True
    _record(world, charge, made)


def _new(world: World, charge: Charge, amount: int, reason: str | None) -> Refund:
    return Refund(
        id=new_id("re"),
        created=int(world.now()),
        amount=amount,
        currency=charge.currency,
        charge=charge.id,
        payment_intent=charge.payment_intent,
        status="succeeded",
        reason=reason,
        kind=charge.method.card.kind,
    )


def _record(world: World, charge: Charge, made: Refund) -> None:
    before = charge.render()
    charge.amount_refunded += made.amount
    world.refunds[made.id] = made
    world.emit("refund.created", made)
    world.emit("charge.refunded", charge, before)


def _settle(world: World, charge: Charge, made: Refund) -> None:
    outcome = charge.method.card.refunds
    if outcome == "late":
        made.status = "pending"
        world.schedule(world.delays.refunds, partial(_succeed, world, made))
    elif outcome == "fail":
        world.schedule(world.delays.refunds, partial(_fail, world, charge, made))


def _succeed(world: World, made: Refund) -> None:
    before, made.status = made.render(), "succeeded"
    _emit_updated(world, made, before)


def _fail(world: World, charge: Charge, made: Refund) -> None:
    """The bank returns the money: that amount of the charge can be refunded again."""
    before = made.render()
    made.status, made.failure_reason = "failed", "expired_or_canceled_card"
    charge.amount_refunded -= made.amount
    world.emit("refund.failed", made, before)
    _emit_updated(world, made, before)


def _emit_updated(world: World, made: Refund, before: Json) -> None:
    for kind in ("refund.updated", "charge.refund.updated"):
        world.emit(kind, made, before)
