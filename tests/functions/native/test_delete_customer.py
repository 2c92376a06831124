"""DELETE /bridge-payment/customers/{id}. Source: contracts/bridge.md, B12; data-model.md 6."""

from collections.abc import Callable

import pytest

from bridge import config
from functions.native.delete_customer.handler import handler
from local import database
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import Api, Reply


def stored(prefix: str) -> list[dict[str, dict[str, str]]]:
    items = database.client().scan(TableName=config.table_name("ledger"))["Items"]
    return [item for item in items if item["pk"]["S"].startswith(prefix)]


def test_the_event_file_is_answered_204_without_body_or_content_type(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/delete_customer")
    assert (reply.status, reply.text) == (204, "")
    assert "content-type" not in reply.headers


def test_b12_a_deleted_customer_is_gone_from_everywhere_at_once(api: Api) -> None:
    made, kept = api.customer(organization_id="org_456"), api.customer()
    assert api.delete(f"/customers/{made['id']}").status == 204
    assert api.get(f"/customers/{made['id']}").status == 404
    assert api.put(f"/customers/{made['id']}", {"phone": "54321"}).status == 404
    assert api.delete(f"/customers/{made['id']}").status == 404
    assert api.get("/customers").body == [kept]
    assert api.get("/customers?organization_id=org_456").body == []
    asked = {"total_cents": 2000, "currency": "USD", "customer_id": made["id"]}
    assert api.post("/payments/intents", asked).status == 404


def test_b12_a_job_is_left_to_finish_it_and_the_provider_is_not_called(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    made = api.customer()
    assert stored("J#") == []
    before = len(stripe_simulator.requests)
    api.delete(f"/customers/{made['id']}")
    (job,) = stored("J#")
    assert job["kind"] == {"S": "finish_deletion"}
    assert job["customer_id"] == {"S": made["id"]}
    assert {"due_pk", "due_at"} <= job.keys()
    assert len(stripe_simulator.requests) == before


def test_b12_payments_stay_readable_and_run_to_their_end(api: Api) -> None:
    customer = api.customer()
    payment = api.payment(customer_id=customer["id"])
    api.delete(f"/customers/{customer['id']}")
    shown = api.get(f"/payments/{payment['id']}").body
    assert (shown["status"], shown["customer_id"]) == ("created", customer["id"])
    paid = api.confirm(payment, {"payment_method_id": "pm_card_visa"}).body
    assert paid["status"] == "succeeded"
    assert [each["id"] for each in api.get("/payments").body] == [payment["id"]]


def test_the_next_payment_of_a_user_without_a_customer_makes_a_new_one(api: Api) -> None:
    first = api.payment()["customer_id"]
    api.delete(f"/customers/{first}")
    assert api.payment()["customer_id"] != first


@pytest.mark.parametrize(
    ("role", "status"), [("owner", 204), ("admin", 204), ("billing", 204), ("member", 403)]
)
def test_b9_an_organizations_customer_is_deleted_by_its_writing_roles(
    api: Api, signed_in: Callable[..., Api], role: str, status: int
) -> None:
    made = api.customer(organization_id="org_456")
    assert signed_in("user_1", org_456=role).delete(f"/customers/{made['id']}").status == status
    assert api.get(f"/customers/{made['id']}").status == (404 if status == 204 else 200)


def test_somebody_elses_customer_is_not_found_and_stays(api: Api, stranger: Api) -> None:
    made = api.customer()
    assert stranger.delete(f"/customers/{made['id']}").status == 404
    assert api.get(f"/customers/{made['id']}").status == 200
