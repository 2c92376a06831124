"""GET …/customers/{id}/payment-instruments. Source: docs/api/payments-ai.md, section 3 (P24)."""

from collections.abc import Callable

from functions.payments_ai.list_payment_instruments.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import Api, Reply
from tests.functions.payments_ai.conftest import NOT_FOUND, UNKNOWN, Shop, details


def test_the_event_file_returns_200_with_the_demo_instrument(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "payments_ai/list_payment_instruments")
    assert (reply.status, len(reply.body)) == (200, 1)
    assert reply.body[0]["isDefault"] is True


def test_p24_instruments_are_listed_newest_first_with_pagination_headers(shop: Shop) -> None:
    customer = shop.customer()
    made = [shop.instrument(customer)["id"] for _ in range(3)]
    shop.instrument(shop.customer())
    target = f"/customers/{customer['id']}/payment-instruments"
    assert [each["id"] for each in shop.ask("GET", target).body] == made[::-1]
    reply = shop.ask("GET", f"{target}?limit=1&offset=2")
    assert [each["id"] for each in reply.body] == made[:1]
    headers = [reply.headers[f"pagination-{name}"] for name in ("total", "limit", "offset")]
    assert headers == ["3", "1", "2"]
    fault = "limit: must be an integer between 0 and 1000"
    assert details(shop.ask("GET", f"{target}?limit=-1")) == fault


def test_an_unknown_customer_returns_404_and_a_deleted_one_an_empty_list(
    shop: Shop, other_shop: Shop
) -> None:
    for each in (UNKNOWN, other_shop.customer()["id"], "cus_x"):
        for query in ("", "?limit=x", "?offset=-1"):  # the 404 of the id comes first
            reply = shop.ask("GET", f"/customers/{each}/payment-instruments{query}")
            assert (reply.status, reply.body) == (404, NOT_FOUND)
    customer = shop.customer()
    shop.instrument(customer)
    shop.ask("DELETE", f"/customers/{customer['id']}")
    assert shop.ask("GET", f"/customers/{customer['id']}/payment-instruments").body == []


def test_an_instrument_has_the_billing_address_set_in_the_native_api(
    shop: Shop, signed_in: Callable[..., Api]
) -> None:
    customer, member = shop.customer(), signed_in("user_1", org_1="admin")
    first, second = shop.instrument(customer), shop.instrument(customer, "pm_card_mastercard")
    home = {"line1": "4 Quay Rd", "city": "Leith", "state": "EDH", "country": "GB"}
    owner = {"customer_id": customer["id"].replace("cus_", "cust_")}
    address = member.post("/addresses", home | owner).body["id"]
    change = {"billing_address_id": address}
    assert member.put(f"/payment-methods/{first['id']}", change).status == 200
    billing_address = {
        "country": "GB",
        "address1": "4 Quay Rd",
        "address2": None,
        "city": "Leith",
        "region": "EDH",
        "zip": None,
    }
    target = f"/customers/{customer['id']}/payment-instruments"
    listed = shop.ask("GET", target).body
    assert [each["billingAddress"] for each in listed] == [None, billing_address]
    assert shop.ask("GET", f"{target}/{first['id']}").body["billingAddress"] == billing_address
    assert shop.ask("GET", f"{target}/{second['id']}").body["billingAddress"] is None
    member.delete(f"/addresses/{address}")
    assert shop.ask("GET", f"{target}/{first['id']}").body["billingAddress"] is None
