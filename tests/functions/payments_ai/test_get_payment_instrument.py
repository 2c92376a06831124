"""GET …/payment-instruments/{instrument_id}. Source: docs/api/payments-ai.md, section 3 (P24)."""

from collections.abc import Callable

from functions.payments_ai.get_payment_instrument.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import Reply
from tests.functions.payments_ai.conftest import NOT_FOUND, Shop


def test_the_event_file_returns_200_with_the_demo_instrument(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "payments_ai/get_payment_instrument")
    assert (reply.status, reply.body["id"]) == (200, "pm_01kjpx9b4vfkhr0f2q3g5m7n8p")


def test_p24_an_instrument_is_found_only_below_its_customer(shop: Shop, other_shop: Shop) -> None:
    customer, other = shop.customer(), shop.customer()
    made = shop.instrument(customer)
    target = f"/customers/{customer['id']}/payment-instruments"
    assert shop.ask("GET", f"{target}/{made['id']}").body == made
    theirs = other_shop.instrument(other_shop.customer())["id"]
    for path in (
        f"{target}/{theirs}",
        f"{target}/{made['id'].upper()}",
        f"{target}/pm_card_visa",
        f"/customers/{other['id']}/payment-instruments/{made['id']}",
    ):
        reply = shop.ask("GET", path)
        assert (reply.status, reply.body) == (404, NOT_FOUND)


def test_an_expired_card_has_the_status_expired(shop: Shop, later: Callable[[float], None]) -> None:
    customer = shop.customer()
    made = shop.instrument(customer)
    later(20 * 365 * 24 * 3600)
    target = f"/customers/{customer['id']}"
    body = shop.ask("GET", f"{target}/payment-instruments/{made['id']}").body
    assert body["status"] == "expired"
