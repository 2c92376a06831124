"""Saved state of the simulator, which tests bring back instead of making it again."""

from local.stripe.forms import Value
from local.stripe.simulator import StripeSimulator

WEEK = 7 * 24 * 3600
AUTHORIZED: dict[str, Value] = {
    "amount": 2000,
    "currency": "usd",
    "capture_method": "manual",
    "confirm": True,
    "payment_method": "pm_card_visa",
    "return_url": "https://shop.test/",
}


def test_restore_brings_back_everything_as_often_as_it_is_called(
    stripe_simulator: StripeSimulator,
) -> None:
    stripe_simulator.seed_customer("cus_1")
    stripe_simulator.seed_payment("pi_1", **AUTHORIZED)
    before = stripe_simulator.state()
    restore = stripe_simulator.save()
    for _ in range(2):
        stripe_simulator.seed_customer("cus_2")
        stripe_simulator.dashboard("cancel", "pi_1")
        restore()
        after = stripe_simulator.state()
        assert {**after, "now": before["now"]} == before


def test_what_is_due_later_acts_on_the_restored_objects(stripe_simulator: StripeSimulator) -> None:
    stripe_simulator.seed_payment("pi_1", **AUTHORIZED)
    restore = stripe_simulator.save()
    for _ in range(2):
        restore()
        stripe_simulator.advance(WEEK + 1)
        (intent,) = stripe_simulator.intents()
        assert intent["status"] == "canceled"


def test_restore_brings_back_the_delays(stripe_simulator: StripeSimulator) -> None:
    stripe_simulator.refunds_settle_after(100)
    restore = stripe_simulator.save()
    for _ in range(2):
        stripe_simulator.refunds_settle_after(200)
        restore()
        assert stripe_simulator.world.delays.refunds == 100
