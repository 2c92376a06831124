"""GET …/customers/{id}. Source: docs/api/payments-ai.md, section 2.2."""

from collections.abc import Callable

import pytest

from functions.payments_ai.get_customer.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import Api, Reply
from tests.functions.payments_ai.conftest import (
    FIELDS,
    FORBIDDEN,
    NOT_FOUND,
    UNKNOWN,
    Shop,
    values_of,
)


def test_the_event_file_returns_200_with_the_demo_customer(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "payments_ai/get_customer")
    assert (reply.status, list(reply.body)) == (200, FIELDS)
    assert values_of(reply.body, "firstName", "createdTime") == ["Nadia", "2026-03-02T09:15:04Z"]


def test_p15_a_deleted_customer_returns_200(shop: Shop) -> None:
    made = shop.customer(firstName="Nadia")
    shop.ask("DELETE", f"/customers/{made['id']}")
    reply = shop.ask("GET", f"/customers/{made['id']}?expand=a&fields=b")
    assert (reply.status, reply.body["status"], reply.body["revision"]) == (200, "deleted", 2)
    assert reply.body["deletedTime"] == reply.body["updatedTime"]
    kept = ("id", "firstName", "createdTime")
    assert values_of(reply.body, *kept) == values_of(made, *kept)


def test_an_unknown_malformed_or_anothers_id_returns_404(shop: Shop, other_shop: Shop) -> None:
    made = shop.customer()["id"]
    theirs = other_shop.customer()["id"]
    bare = made.removeprefix("cus_")
    odd = [made.upper(), bare, f"cust_{bare}", f"{made}x", "cus_", "cus_1", f"cus_{bare[:-1]}u"]
    for each in (UNKNOWN, theirs, *odd):
        reply = shop.ask("GET", f"/customers/{each}")
        assert (reply.status, reply.body) == (404, NOT_FOUND), each


def test_another_organization_in_the_path_returns_403_for_any_id(
    shop: Shop, other_shop: Shop
) -> None:
    made = shop.customer()["id"]
    for each in (made, UNKNOWN, "x"):
        reply = Shop(other_shop.api, "org_1").ask("GET", f"/customers/{each}")
        assert (reply.status, reply.body) == (403, FORBIDDEN)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/customers"),
        ("DELETE", "/customers"),
        ("POST", f"/customers/{UNKNOWN}"),
        ("GET", "/invoices"),
        ("GET", ""),
        ("HEAD", "/customers"),
    ],
)
def test_p3_an_unknown_path_or_method_returns_404_with_or_without_a_key(
    shop: Shop, guest: Api, method: str, path: str
) -> None:
    for by in (shop, Shop(guest, "org_1")):
        reply = by.ask(method, path)
        assert (reply.status, reply.body) == (404, NOT_FOUND)
        assert reply.headers["content-type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize("stray", [f"/customers/{UNKNOWN}/", f"//customers//{UNKNOWN}"])
def test_a_path_with_an_extra_slash_returns_308_to_the_clean_path(shop: Shop, stray: str) -> None:
    reply = shop.ask("GET", f"{stray}?expand=a%2Fb")
    target = f"/v1/public-api/organizations/org_1/customers/{UNKNOWN}?expand=a%2Fb"
    assert (reply.status, reply.headers["location"]) == (308, target)
    assert reply.body["errorCode"] == "MOVED"
