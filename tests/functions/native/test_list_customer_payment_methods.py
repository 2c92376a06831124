"""GET /bridge-payment/payment-methods/customer/{id}. Source: docs/api/native.md, section 5."""

from collections.abc import Callable

from functions.native.list_customer_payment_methods.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import GUEST, Api, Reply


def test_list_methods_of_customer_with_event_file_returns_array(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/list_customer_payment_methods")
    assert reply.status == 200
    assert [each["id"] for each in reply.body] == ["pm_saved_card_123"]


def test_list_methods_of_customer_returns_them_newest_first(api: Api) -> None:
    api.method()
    customer = api.customer()
    created = [api.method(customer_id=customer["id"]) for _ in range(3)]
    path = f"/payment-methods/customer/{customer['id']}"
    assert api.get(path).body == created[::-1]
    assert api.get(f"{path}?limit=1&offset=2").body == created[:1]
    assert api.get(f"/payment-methods/customer/{api.customer()['id']}").body == []


def test_list_methods_of_others_or_deleted_customer_returns_404(api: Api, stranger: Api) -> None:
    path = f"/payment-methods/customer/{api.method()['customer_id']}"
    assert stranger.get(path).status == 404
    api.delete(f"/customers/{api.get('/customers').body[0]['id']}")
    assert api.get(path).status == 404


def test_b8_list_methods_of_customer_with_guest_token_returns_401(guest: Api) -> None:
    customer = guest.customer(guest_data=GUEST)
    with_token = guest.with_headers(x_guest_token=customer["guest_token"])
    assert with_token.get(f"/payment-methods/customer/{customer['id']}").status == 401
