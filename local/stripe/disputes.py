"""Disputes: how they are opened and closed.

A charge that was disputed once stays `disputed`. The current state is in the dispute.
Source: Stripe API reference, "Disputes"; Stripe, "How disputes work", "Testing".
"""

from collections.abc import Iterator
from functools import partial
from typing import Literal

from local.stripe.errors import refused
from local.stripe.resources.charge import Charge
from local.stripe.resources.dispute import OPEN, Dispute
from local.stripe.world import World, new_id

Outcome = Literal["won", "lost"]
DISPUTED_AFTER = 60
"""Seconds on the simulated clock from a capture to the dispute of a disputing test card."""


def schedule_dispute(world: World, charge: Charge) -> None:
    """Schedule the dispute of a test card that always leads to one."""
    disputes = charge.method.card.disputes
    if disputes is not None:
        world.schedule(
            DISPUTED_AFTER, partial(_open_once, world, charge, inquiry=disputes == "inquiry")
        )


def _open_once(world: World, charge: Charge, *, inquiry: bool) -> None:
    if not charge.disputed:
        open_dispute(world, charge, inquiry=inquiry)


def open_dispute(
    world: World, charge: Charge, amount: int | None = None, *, inquiry: bool = False
) -> Dispute:
    """Open a dispute of a charge. `amount` None: all that was captured.

    Raises StripeError if nothing or less was captured, or if the charge was disputed before.
    """
    if not charge.captured:
        raise refused(f"The charge {charge.id} took no money: there is nothing to dispute.")
    if charge.method.card.kind != "card":
        raise refused("The simulator has no disputes of payments from a bank account.")
    if charge.disputed:
        raise refused(f"The charge {charge.id} has been disputed already.", code="charge_disputed")
    amount = charge.amount_captured if amount is None else amount
    if not 1 <= amount <= charge.amount_captured:
        message = f"A dispute is of 1 to the {charge.amount_captured} captured."
        raise refused(message, "amount")
    made = Dispute(
        id=new_id("du"),
        created=int(world.now()),
        amount=amount,
        currency=charge.currency,
        charge=charge.id,
        payment_intent=charge.payment_intent,
        brand=charge.method.card.brand,
        inquiry=inquiry,
        status="warning_needs_response" if inquiry else "needs_response",
    )
    charge.disputed = True
    world.disputes[made.id] = made
    world.emit("charge.dispute.created", made)
    if not inquiry:
        world.emit("charge.dispute.funds_withdrawn", made)
    return made


def close(world: World, charge: Charge, outcome: Outcome) -> Dispute:
    """Close the dispute of a charge. An inquiry that was won becomes `warning_closed`.

    Raises StripeError if no dispute is open.
    """
    dispute = of_charge(world, charge)
    if dispute is None or dispute.status not in OPEN:
        raise refused(f"The charge {charge.id} has no open dispute.")
    before = dispute.render()
    dispute.status = "warning_closed" if dispute.inquiry and outcome == "won" else outcome
    for kind in _closing(dispute):
        world.emit(kind, dispute, before)
    return dispute


def _closing(dispute: Dispute) -> Iterator[str]:
    yield "charge.dispute.updated"
    if dispute.status == "won":
        yield "charge.dispute.funds_reinstated"
    elif dispute.status == "lost" and dispute.inquiry:
        yield "charge.dispute.funds_withdrawn"
    yield "charge.dispute.closed"


def of_charge(world: World, charge: Charge) -> Dispute | None:
    """Return the dispute of a charge, or None."""
    if not charge.disputed:
        return None
    return next(each for each in world.disputes.values() if each.charge == charge.id)
