"""GET …/customers/{id}/payment-instruments. Source: contracts/payments-ai.md, section 3 (D 24)."""

from collections.abc import Callable

from functions.payments_ai.list_payment_instruments.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import Reply
from tests.functions.payments_ai.conftest import NOT_FOUND, UNKNOWN, Shop, details


def test_the_event_file_is_answered_with_the_demo_instrument(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "payments_ai/list_payment_instruments")
    assert (reply.status, len(reply.body)) == (200, 1)
    assert reply.body[0]["isDefault"] is True


def test_d24_instruments_come_newest_first_with_the_headers_of_all_lists(shop: Shop) -> None:
    customer = shop.customer()
    made = [shop.instrument(customer)["id"] for _ in range(3)]
    shop.instrument(shop.customer())
    target = f"/customers/{customer['id']}/payment-instruments"
    assert [each["id"] for each in shop.ask("GET", target).body] == made[::-1]
    reply = shop.ask("GET", f"{target}?limit=1&offset=2")
    assert [each["id"] for each in reply.body] == made[:1]
    told = [reply.headers[f"pagination-{name}"] for name in ("total", "limit", "offset")]
    assert told == ["3", "1", "2"]
    fault = "limit: must be an integer between 0 and 1000"
    assert details(shop.ask("GET", f"{target}?limit=-1")) == fault


def test_an_unknown_customer_has_no_list_and_a_deleted_one_an_empty_one(
    shop: Shop, other_shop: Shop
) -> None:
    for each in (UNKNOWN, other_shop.customer()["id"], "cus_x"):
        reply = shop.ask("GET", f"/customers/{each}/payment-instruments")
        assert (reply.status, reply.body) == (404, NOT_FOUND)
    customer = shop.customer()
    shop.instrument(customer)
    shop.ask("DELETE", f"/customers/{customer['id']}")
    assert shop.ask("GET", f"/customers/{customer['id']}/payment-instruments").body == []
