"""DELETE …/customers/{id}. Source: docs/api/payments-ai.md, section 2.5."""

from collections.abc import Callable

from functions.payments_ai.delete_customer.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import Api, Reply
from tests.functions.payments_ai.conftest import (
    DELETED,
    FORBIDDEN,
    NOT_FOUND,
    UNKNOWN,
    Shop,
    details,
    values_of,
)


def test_the_event_file_returns_204_without_a_body(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "payments_ai/delete_customer")
    assert (reply.status, reply.text) == (204, "")
    assert "content-type" not in reply.headers


def test_a_deleted_customer_is_not_listed_and_cannot_be_changed_or_paid_for(
    shop: Shop, signed_in: Callable[..., Api]
) -> None:
    made, other = shop.customer(firstName="Gone"), shop.customer(firstName="Stays")
    target = f"/customers/{made['id']}"
    assert shop.ask("DELETE", target, b"no JSON").status == 204
    assert [each["id"] for each in shop.listed()] == [other["id"]]
    for method in ("PUT", "PATCH"):
        assert details(shop.ask(method, target, {"firstName": "Back"}), 409) == DELETED
        assert details(shop.ask(method, target, {}), 409) == DELETED
    native = {"customer_id": made["id"].replace("cus_", "cust_"), "organization_id": "org_1"}
    user = signed_in("user_1", org_1="admin")
    reply = user.post("/payments/intents", native | {"total_cents": 2000, "currency": "USD"})
    assert reply.status == 404


def test_p22_the_target_of_the_sdk_is_ignored_and_p23_a_second_deletion_returns_204(
    shop: Shop, later: Callable[[float], None]
) -> None:
    made, target = shop.customer(), shop.customer()
    for query in (f"?targetCustomerId={target['id']}", "", "?targetCustomerId=x"):
        assert shop.ask("DELETE", f"/customers/{made['id']}{query}").status == 204
        later(5)
    deleted = shop.ask("GET", f"/customers/{made['id']}").body
    assert values_of(deleted, "revision", "status") == [2, "deleted"]
    assert deleted["deletedTime"] == deleted["updatedTime"]
    assert [each["id"] for each in shop.listed()] == [target["id"]]


def test_an_unknown_or_anothers_customer_returns_404_and_another_organization_403(
    shop: Shop, other_shop: Shop
) -> None:
    theirs = other_shop.customer()["id"]
    for each in (UNKNOWN, theirs, "cus_x"):
        reply = shop.ask("DELETE", f"/customers/{each}")
        assert (reply.status, reply.body) == (404, NOT_FOUND)
    reply = Shop(shop.api, "org_2").ask("DELETE", f"/customers/{theirs}")
    assert (reply.status, reply.body) == (403, FORBIDDEN)
    assert len(other_shop.listed()) == 1
