"""GET /v2/customers/{uuid}. Source: contracts/monri.md 5.2."""

from collections.abc import Callable

import pytest

from functions.monri.get_customer.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import Reply
from tests.functions.monri.conftest import CUSTOMER_FIELDS, DEMO, Merchant


@pytest.mark.usefixtures("at_any_time")
def test_the_event_file_is_answered_with_the_demos_customer(
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


def test_what_was_made_is_shown_whatever_the_case_of_its_uuid(merchant: Merchant) -> None:
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
def test_unknown_or_no_uuid_is_not_found(merchant: Merchant, uuid: str) -> None:
    reply = merchant.get(uuid)
    assert (reply.status, reply.body["errors"]) == (404, ["Customer not found"])


def test_another_merchants_customer_is_as_if_it_were_not_there(
    merchant: Merchant, enrolled: Callable[..., Merchant]
) -> None:
    other, made = enrolled("org_2"), merchant.made()
    assert other.get(made["uuid"]).text == merchant.get(DEMO).text
    assert enrolled("org_1").get(made["uuid"]).body == made


def test_d10_a_deleted_customer_is_still_shown(merchant: Merchant) -> None:
    made = merchant.made(name="Lejla", merchant_customer_id="crm-1")
    merchant.delete(made["uuid"])
    shown = merchant.get(made["uuid"])
    assert shown.status == 200
    gone = {"deleted": True, "deleted_at": shown.body["deleted_at"]}
    assert shown.body == made | gone | {"updated_at": shown.body["updated_at"]}
    assert shown.body["deleted_at"]
