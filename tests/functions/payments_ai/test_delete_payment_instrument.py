"""DELETE …/payment-instruments/{instrument_id}, and the default of a customer.

Source: docs/api/payments-ai.md, sections 2.4 and 3.
"""

from collections.abc import Callable
from typing import Any

from functions.payments_ai.delete_payment_instrument.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import Api, Reply
from tests.functions.payments_ai.conftest import DELETED, NOT_FOUND, Shop, details

NOT_OWN = "defaultPaymentInstrumentId: does not belong to this customer"


def default(shop: Shop, customer: dict[str, Any]) -> Any:
    body = shop.ask("GET", f"/customers/{customer['id']}").body
    instrument = body["defaultPaymentInstrument"]
    return instrument and instrument["paymentInstrumentId"]


def set_default(shop: Shop, customer: dict[str, Any], instrument_id: object) -> Reply:
    body = {"defaultPaymentInstrumentId": instrument_id}
    return shop.ask("PUT", f"/customers/{customer['id']}", body)


def test_the_event_file_returns_204_without_a_body(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "payments_ai/delete_payment_instrument")
    assert (reply.status, reply.text) == (204, "")


def test_p24_a_deleted_instrument_returns_404_here_and_in_the_native_api(
    shop: Shop, signed_in: Callable[..., Api]
) -> None:
    customer = shop.customer()
    made = shop.instrument(customer)
    target = f"/customers/{customer['id']}/payment-instruments/{made['id']}"
    assert shop.ask("DELETE", target).status == 204
    for method in ("GET", "DELETE"):
        reply = shop.ask(method, target)
        assert (reply.status, reply.body) == (404, NOT_FOUND)
    member = signed_in("user_1", org_1="admin")
    assert member.get(f"/payment-methods/{made['id']}").status == 404
    assert details(set_default(shop, customer, made["id"])) == NOT_OWN


def test_p25_after_deletion_of_the_default_the_newest_becomes_the_default(shop: Shop) -> None:
    customer = shop.customer()
    first, second, third = (shop.instrument(customer)["id"] for _ in range(3))
    target = f"/customers/{customer['id']}/payment-instruments"
    for gone, left in ((second, first), (first, third), (third, None)):
        assert shop.ask("DELETE", f"{target}/{gone}").status == 204
        assert default(shop, customer) == left


def test_the_default_can_be_changed_and_cleared_with_null(shop: Shop) -> None:
    customer = shop.customer()
    first, second = (shop.instrument(customer)["id"] for _ in range(2))
    reply = set_default(shop, customer, second)
    expected = {"method": "payment-card", "paymentInstrumentId": second}
    assert (reply.status, reply.body["defaultPaymentInstrument"]) == (200, expected)
    target = f"/customers/{customer['id']}/payment-instruments"
    marks = {each["id"]: each["isDefault"] for each in shop.ask("GET", target).body}
    assert marks == {first: False, second: True}
    revision = reply.body["revision"]
    assert set_default(shop, customer, second).body["revision"] == revision
    cleared = set_default(shop, customer, None).body
    assert (cleared["defaultPaymentInstrument"], cleared["revision"]) == (None, revision + 1)
    assert shop.instrument(customer)["isDefault"] is True


def test_an_instrument_that_cannot_be_the_default_returns_400(
    shop: Shop, other_shop: Shop, later: Callable[[float], None]
) -> None:
    customer = shop.customer()
    own = shop.instrument(customer)["id"]
    of_another = shop.instrument(shop.customer())["id"]
    theirs = other_shop.instrument(other_shop.customer())["id"]
    for each in (of_another, theirs, "pm_card_visa", "", own.upper()):
        assert details(set_default(shop, customer, each)) == NOT_OWN
    wrong = details(set_default(shop, customer, 7))
    assert wrong == "defaultPaymentInstrumentId: must be a string"
    later(20 * 365 * 24 * 3600)
    fault = details(set_default(shop, customer, own))
    assert fault == "defaultPaymentInstrumentId: instrument is not chargeable"


def test_a_deleted_customer_returns_409_for_a_default_and_404_for_a_deletion(shop: Shop) -> None:
    customer = shop.customer()
    own = shop.instrument(customer)["id"]
    shop.ask("DELETE", f"/customers/{customer['id']}")
    assert details(set_default(shop, customer, own), 409) == DELETED
    reply = shop.ask("DELETE", f"/customers/{customer['id']}/payment-instruments/{own}")
    assert (reply.status, reply.body) == (404, NOT_FOUND)
