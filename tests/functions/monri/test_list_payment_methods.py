"""GET /v2/customers/{uuid}/payment-methods. Source: docs/api/monri.md, sections 3 and 5.7."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from bridge import clock
from bridge.api_adapters.monri import wire
from bridge.authentication import merchants
from bridge.models.identifier import from_uuid
from bridge.models.payment_method import CustomersMethods, PaymentMethod
from functions.monri.list_payment_methods.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import Api, Reply
from tests.functions.monri.conftest import DEMO, TIME, Merchant

METHOD_FIELDS = {
    "status", "id", "token", "masked_pan", "expiration_date", "keep_until", "customer_uuid",
    "expired", "created_at", "updated_at",
}  # fmt: skip


@pytest.fixture
def merchant(enrolled: Callable[..., Merchant]) -> Merchant:
    """A merchant of the organization in which user_456 saves methods."""
    return enrolled("org_456")


@pytest.fixture
def save(api: Api) -> Callable[..., dict[str, Any]]:
    """Attach a card to a merchant's customer with the native API."""

    def attach(uuid: str, token: str = "pm_card_visa") -> dict[str, Any]:
        body = {"token": token, "customer_id": from_uuid("cust", uuid)}
        reply = api.post("/payment-methods", body)
        assert reply.status == 201, reply.text
        return dict(reply.body)

    return attach


def listed(merchant: Merchant, owner: str, query: str = "") -> list[dict[str, Any]]:
    reply = merchant.ask("GET", f"/v2/customers/{owner}/payment-methods{query}")
    assert (reply.status, reply.body.keys()) == (200, {"status", "data"}), reply.text
    return list(reply.body["data"])


@pytest.mark.usefixtures("at_any_time")
def test_list_payment_methods_event_file_returns_a_list(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "monri/list_payment_methods")
    assert (reply.status, reply.body) == (200, {"status": "approved", "data": []})


def test_saved_card_is_rendered_without_the_providers_token(
    merchant: Merchant, save: Callable[..., dict[str, Any]]
) -> None:
    uuid = merchant.made(name="Lejla")["uuid"]
    saved = save(uuid)
    (body,) = listed(merchant, uuid)
    assert body.keys() == METHOD_FIELDS
    assert re.fullmatch("[0-9a-f]{64}", body["id"])
    assert body["id"] == body["token"]
    assert body["masked_pan"] == f"******{saved['last4']}"
    year, month = saved["exp_year"], saved["exp_month"]
    assert re.fullmatch(rf"{year}-{month:02}-(28|29|30|31)", body["expiration_date"])
    assert (body["status"], body["keep_until"], body["expired"]) == (
        "approved",
        None,
        False,
    )
    assert body["customer_uuid"] == uuid
    assert TIME.fullmatch(body["created_at"])
    assert TIME.fullmatch(body["updated_at"])
    assert saved["provider_payment_method_id"] not in str(body)
    assert listed(merchant, uuid) == [body]


def test_list_is_newest_first_and_uses_limit_and_offset(
    merchant: Merchant, save: Callable[..., dict[str, Any]]
) -> None:
    uuid = merchant.made()["uuid"]
    cards = ["pm_card_visa", "pm_card_mastercard", "pm_card_amex"]
    ends = [f"******{save(uuid, card)['last4']}" for card in cards][::-1]
    for query, expected in {
        "": ends,
        "?limit=2": ends[:2],
        "?limit=2&offset=1": ends[1:],
        "?offset=3": [],
        "?limit=x&limit=1": ends[:1],
    }.items():
        assert [each["masked_pan"] for each in listed(merchant, uuid, query)] == expected, query
    path = f"/v2/customers/{uuid}/payment-methods?limit=501&offset=x"
    assert merchant.refused("GET", path) == [
        "limit must be a valid number",
        "offset must be a valid number",
    ]


def test_m10_deleted_customer_has_no_payment_methods(
    merchant: Merchant, save: Callable[..., dict[str, Any]]
) -> None:
    uuid = merchant.made()["uuid"]
    save(uuid)
    merchant.delete(uuid)
    assert listed(merchant, uuid) == []


def test_deleted_payment_method_is_not_listed(
    merchant: Merchant, api: Api, save: Callable[..., dict[str, Any]]
) -> None:
    uuid = merchant.made()["uuid"]
    saved = save(uuid)
    assert api.delete(f"/payment-methods/{saved['id']}").status == 204
    assert listed(merchant, uuid) == []


def test_m13_merchants_own_id_is_accepted_but_a_uuid_wins(
    merchant: Merchant, save: Callable[..., dict[str, Any]]
) -> None:
    first = merchant.made(merchant_customer_id="crm č 1")["uuid"]
    save(first)
    (body,) = listed(merchant, "crm%20%C4%8D%201")
    assert body["customer_uuid"] == first
    merchant.made(merchant_customer_id=first)
    assert listed(merchant, first) == [body]
    merchant.made(merchant_customer_id=DEMO)
    assert listed(merchant, DEMO) == []
    merchant.delete(first)
    assert merchant.ask("GET", "/v2/customers/crm%20%C4%8D%201/payment-methods").status == 404


def test_list_payment_methods_returns_404_for_unknown_or_foreign_customer(
    merchant: Merchant, enrolled: Callable[..., Merchant]
) -> None:
    made, other = merchant.made(merchant_customer_id="crm-1"), enrolled("org_2")
    for asking, owner in (
        (merchant, DEMO),
        (merchant, "crm-2"),
        (other, made["uuid"]),
        (other, "crm-1"),
    ):
        reply = asking.ask("GET", f"/v2/customers/{owner}/payment-methods")
        assert (reply.status, reply.body["message"]) == (404, "Customer not found")


@pytest.mark.parametrize(
    ("scopes", "status"),
    [(["customers"], 200), (["payment-methods"], 200), ([], 200), (["payments"], 403)],
)
def test_either_of_two_scopes_is_enough(merchant: Merchant, scopes: list[str], status: int) -> None:
    uuid = merchant.made()["uuid"]
    token = merchants.issue_token(merchant.name, merchant.key, scopes).token
    bearer = replace(merchant, token=token)
    reply = bearer.ask("GET", f"/v2/customers/{uuid}/payment-methods")
    assert reply.status == status
    external_id = merchant.made(merchant_customer_id="x/payment-methods")["merchant_customer_id"]
    other = bearer.ask("GET", f"/v2/merchants/customers/{external_id}").status
    assert other == (200 if "customers" in scopes or not scopes else 403)


@pytest.mark.parametrize(
    ("month", "year", "last_day", "expired"),
    [
        (2, 2096, "2096-02-29", False),
        (2, 2097, "2097-02-28", False),
        (12, 2020, "2020-12-31", True),
        (None, None, None, False),
    ],
)
def test_expiration_date_is_the_last_day_of_the_month(
    month: int | None, year: int | None, last_day: str | None, expired: bool
) -> None:
    now = clock.now()
    known = {"id": "pm_1", "uid": "1", "customer_id": "cust_1", "provider_id": "stripe"}
    times = {"created_at": now, "updated_at": now}
    card = {"exp_month": month, "exp_year": year}
    method = msgspec.convert(known | times | card, PaymentMethod)
    uid = "01kdvdna00fdx8r8ay1xxdjjrg"
    page = CustomersMethods(customer_uid=uid, methods=[method], at=now)
    (body,) = wire.render_methods(page)["data"]
    assert (body["expiration_date"], body["expired"]) == (last_day, expired)
    assert (body["masked_pan"], body["customer_uuid"]) == ("******", DEMO)
