"""DELETE /bridge-payment/customers/{id}.

Source: docs/api/native.md, section 3 (B12); docs/data-model.md, section 6.
"""

from collections.abc import Callable

import pytest

from bridge import config
from functions.native.delete_customer.handler import handler
from local import database
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import Api, Reply


def ledger_items(prefix: str) -> list[dict[str, dict[str, str]]]:
    items = database.client().scan(TableName=config.table_name("ledger"))["Items"]
    return [item for item in items if item["pk"]["S"].startswith(prefix)]


def test_delete_customer_with_event_file_returns_204_without_body(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/delete_customer")
    assert (reply.status, reply.text) == (204, "")
    assert "content-type" not in reply.headers


def test_b12_deleted_customer_returns_404_and_is_not_listed(api: Api) -> None:
    deleted, kept = api.customer(organization_id="org_456"), api.customer()
    assert api.delete(f"/customers/{deleted['id']}").status == 204
    assert api.get(f"/customers/{deleted['id']}").status == 404
    assert api.put(f"/customers/{deleted['id']}", {"phone": "54321"}).status == 404
    assert api.delete(f"/customers/{deleted['id']}").status == 404
    assert api.get("/customers").body == [kept]
    assert api.get("/customers?organization_id=org_456").body == []
    body = {"total_cents": 2000, "currency": "USD", "customer_id": deleted["id"]}
    assert api.post("/payments/intents", body).status == 404


def test_b12_delete_customer_stores_job_without_provider_call(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    customer = api.customer()
    assert ledger_items("J#") == []
    before = len(stripe_simulator.requests)
    api.delete(f"/customers/{customer['id']}")
    (job,) = ledger_items("J#")
    assert job["kind"] == {"S": "finish_deletion"}
    assert job["customer_id"] == {"S": customer["id"]}
    assert {"due_pk", "due_at"} <= job.keys()
    assert len(stripe_simulator.requests) == before


def test_b12_payment_of_deleted_customer_can_be_read_and_confirmed(api: Api) -> None:
    customer = api.customer()
    payment = api.payment(customer_id=customer["id"])
    api.delete(f"/customers/{customer['id']}")
    body = api.get(f"/payments/{payment['id']}").body
    assert (body["status"], body["customer_id"]) == ("created", customer["id"])
    paid = api.confirm(payment, {"payment_method_id": "pm_card_visa"}).body
    assert paid["status"] == "succeeded"
    assert [each["id"] for each in api.get("/payments").body] == [payment["id"]]


def test_payment_after_deletion_of_own_customer_creates_new_customer(api: Api) -> None:
    first = api.payment()["customer_id"]
    api.delete(f"/customers/{first}")
    assert api.payment()["customer_id"] != first


@pytest.mark.parametrize(
    ("role", "status"), [("owner", 204), ("admin", 204), ("billing", 204), ("member", 403)]
)
def test_b9_delete_customer_in_organization_needs_writing_role(
    api: Api, signed_in: Callable[..., Api], role: str, status: int
) -> None:
    customer = api.customer(organization_id="org_456")
    assert signed_in("user_1", org_456=role).delete(f"/customers/{customer['id']}").status == status
    assert api.get(f"/customers/{customer['id']}").status == (404 if status == 204 else 200)


def test_delete_customer_of_other_user_returns_404_and_keeps_it(api: Api, stranger: Api) -> None:
    customer = api.customer()
    assert stranger.delete(f"/customers/{customer['id']}").status == 404
    assert api.get(f"/customers/{customer['id']}").status == 200
