"""GET /v2/customers/{uuid}. Source: docs/api/monri.md, section 5.2."""

from collections.abc import Callable

import pytest

from functions.monri.get_customer.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import Reply
from tests.functions.monri.conftest import CUSTOMER_FIELDS, DEMO, Merchant


@pytest.mark.usefixtures("at_any_time")
def test_get_customer_event_file_returns_the_demo_customer(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "monri/get_customer")
    assert reply.status == 200
    assert reply.body == dict.fromkeys(CUSTOMER_FIELDS) | {
        "status": "approved",
        "id": DEMO,
        "uuid": DEMO,
        "merchant_customer_id": "crm-1001",
        "name": "Lejla Kovač",
        "country": "BA",
        "metadata": {},
        "deleted": False,
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
    }


def test_get_customer_accepts_the_uuid_in_any_case(merchant: Merchant) -> None:
    made = merchant.made(name="Lejla", metadata={"b": 1, "a": {"deep": [None, 2.5]}})
    assert merchant.get(made["uuid"]).body == made
    assert merchant.get(made["uuid"].upper()).body == made


@pytest.mark.parametrize(
    "uuid",
    [
        DEMO,
        DEMO.replace("-", ""),
        f"%7B{DEMO}%7D",
        f"urn:uuid:{DEMO}",
        "cust_01kdvdna00fdx8r8ay1xxdjjrg",
        "crm-1001",
        "%20",
        "%00",
        "%F0%9F%92%B3",
        "x" * 300,
    ],
)
def test_get_customer_returns_404_for_unknown_id(merchant: Merchant, uuid: str) -> None:
    reply = merchant.get(uuid)
    assert (reply.status, reply.body["errors"]) == (404, ["Customer not found"])


def test_get_customer_of_another_merchant_returns_the_404_of_an_unknown_id(
    merchant: Merchant, enrolled: Callable[..., Merchant]
) -> None:
    other, made = enrolled("org_2"), merchant.made()
    assert other.get(made["uuid"]).text == merchant.get(DEMO).text
    assert enrolled("org_1").get(made["uuid"]).body == made


def test_m10_get_customer_returns_a_deleted_customer(merchant: Merchant) -> None:
    made = merchant.made(name="Lejla", merchant_customer_id="crm-1")
    merchant.delete(made["uuid"])
    reply = merchant.get(made["uuid"])
    assert reply.status == 200
    gone = {"deleted": True, "deleted_at": reply.body["deleted_at"]}
    assert reply.body == made | gone | {"updated_at": reply.body["updated_at"]}
    assert reply.body["deleted_at"]
