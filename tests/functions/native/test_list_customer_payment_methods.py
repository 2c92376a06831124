"""GET /bridge-payment/payment-methods/customer/{id}. Source: contracts/bridge.md section 5."""

from collections.abc import Callable

from functions.native.list_customer_payment_methods.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import GUEST, Api, Reply


def test_the_event_file_is_answered_with_an_array(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/list_customer_payment_methods")
    assert reply.status == 200
    assert [each["id"] for each in reply.body] == ["pm_saved_card_123"]


def test_it_holds_what_is_saved_for_that_customer_newest_first(api: Api) -> None:
    api.method()
    customer = api.customer()
    made = [api.method(customer_id=customer["id"]) for _ in range(3)]
    path = f"/payment-methods/customer/{customer['id']}"
    assert api.get(path).body == made[::-1]
    assert api.get(f"{path}?limit=1&offset=2").body == made[:1]
    assert api.get(f"/payment-methods/customer/{api.customer()['id']}").body == []


def test_somebody_elses_or_a_deleted_customer_is_not_found(api: Api, stranger: Api) -> None:
    path = f"/payment-methods/customer/{api.method()['customer_id']}"
    assert stranger.get(path).status == 404
    api.delete(f"/customers/{api.get('/customers').body[0]['id']}")
    assert api.get(path).status == 404


def test_b8_a_guests_token_does_not_list(guest: Api) -> None:
    made = guest.customer(guest_data=GUEST)
    bearing = guest.bearing(x_guest_token=made["guest_token"])
    assert bearing.get(f"/payment-methods/customer/{made['id']}").status == 401
