"""jobs/finish_deletion, every minute.

Source: docs/data-model.md, section 6; docs/api/native.md, section 3 (B12).
"""

from collections.abc import Callable
from typing import Any

from functions.jobs.finish_deletion.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import VISA, Api

Operate = Callable[..., dict[str, Any]]
NAME = "jobs/finish_deletion"


def test_event_file_without_jobs_does_nothing(demo_data: StripeSimulator, operate: Operate) -> None:
    assert operate(handler, NAME) == {"finished": 0, "failed": 0, "left": 0}


def test_b12_deleted_demo_customer_loses_its_card_and_its_payment_stays(
    demo_data: StripeSimulator, api: Api, operate: Operate
) -> None:
    owner = api.get("/payments/pay_123").body["customer_id"]
    assert api.delete(f"/customers/{owner}").status == 204
    assert operate(handler, NAME) == {"finished": 1, "failed": 0, "left": 0}
    deleted = [each for each in demo_data.customers() if each.get("deleted")]
    assert len(deleted) == 1
    assert demo_data.world.methods["pm_saved_card_123"].customer is None
    assert api.get("/payments/pay_123").body["status"] == "succeeded"
    asked = {"total_cents": 2000, "currency": "USD", "payment_method_id": "pm_saved_card_123"}
    assert api.post("/payments/intents", asked).status == 404


def test_b12_payment_in_progress_can_be_paid_after_its_customer_is_deleted(
    api: Api, operate: Operate
) -> None:
    customer = api.customer()
    payment = api.payment(customer_id=customer["id"])
    api.delete(f"/customers/{customer['id']}")
    assert operate(handler, NAME)["finished"] == 1
    assert api.confirm(payment, VISA).body["status"] == "succeeded"


def test_b12_payments_are_hidden_if_cascade_is_set(
    api: Api, operate: Operate, setting: Callable[[str, str], None]
) -> None:
    setting("CASCADE_PAYMENTS", "1")
    customer = api.customer()
    payment = api.payment(customer_id=customer["id"], description="private words")
    api.confirm(payment, VISA)
    api.delete(f"/customers/{customer['id']}")
    assert api.get(f"/payments/{payment['id']}").status == 200
    assert operate(handler, NAME)["finished"] == 1
    assert api.get(f"/payments/{payment['id']}").status == 404
    assert api.sync(payment).status == 404
    assert api.confirm(payment, VISA).status == 404
    assert api.get("/payments").body == []
