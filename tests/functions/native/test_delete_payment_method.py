"""DELETE /bridge-payment/payment-methods/{id}. Source: docs/api/native.md, section 5."""

from collections.abc import Callable

import pytest

from functions.native.delete_payment_method.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.conftest import Environment
from tests.functions.conftest import Api, Reply


@pytest.fixture
def run_deletion_job(environment: Environment) -> Callable[[], object]:
    """Run the job that finishes deletions. In AWS it runs every minute."""
    return lambda: environment.gateway.functions.invoke("JobsFinishDeletion", {})


def test_delete_method_with_event_file_returns_204_without_body(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/delete_payment_method")
    assert (reply.status, reply.text) == (204, "")
    assert "content-type" not in reply.headers


def test_deleted_method_returns_404_and_is_not_listed(api: Api) -> None:
    deleted, kept = api.method(), api.method()
    path = f"/payment-methods/{deleted['id']}"
    assert api.delete(path).status == 204
    assert api.get(path).status == api.put(path, {"alias": "x"}).status == 404
    assert api.delete(path).status == 404
    listed = [kept | {"is_default": True}]
    assert api.get("/payment-methods").body == listed
    assert api.get(f"/payment-methods/customer/{deleted['customer_id']}").body == listed


def test_deleted_method_cannot_pay(api: Api) -> None:
    method = api.method()
    stored = api.payment(payment_method_id=method["id"])
    payment = api.payment()
    api.delete(f"/payment-methods/{method['id']}")
    assert api.confirm(payment, {"payment_method_id": method["id"]}).status == 404
    assert api.confirm(stored).code == "payment_method_required"


def test_delete_of_default_makes_newest_default_and_other_delete_keeps_it(api: Api) -> None:
    created = [api.method() for _ in range(4)]
    api.delete(f"/payment-methods/{created[1]['id']}")
    assert api.get(f"/payment-methods/{created[0]['id']}").body["is_default"]
    api.delete(f"/payment-methods/{created[0]['id']}")
    assert api.get(f"/payment-methods/{created[3]['id']}").body["is_default"]
    for each in created[2:]:
        api.delete(f"/payment-methods/{each['id']}")
    assert api.get("/payment-methods").body == []
    assert api.method()["is_default"]


def test_job_detaches_deleted_method_at_provider(
    api: Api, run_deletion_job: Callable[[], object], stripe_simulator: StripeSimulator
) -> None:
    deleted, kept = api.method(), api.method()
    calls = len(stripe_simulator.requests)
    api.delete(f"/payment-methods/{deleted['id']}")
    assert len(stripe_simulator.requests) == calls
    assert run_deletion_job() == {"finished": 1, "failed": 0, "left": 0}
    stripe_methods = stripe_simulator.world.methods
    assert stripe_methods[deleted["provider_payment_method_id"]].customer is None
    assert stripe_methods[kept["provider_payment_method_id"]].customer is not None
    assert run_deletion_job() == {"finished": 0, "failed": 0, "left": 0}


def test_failed_detach_is_tried_again_later(
    api: Api,
    run_deletion_job: Callable[[], object],
    stripe_simulator: StripeSimulator,
    later: Callable[[float], None],
) -> None:
    method = api.method()
    api.delete(f"/payment-methods/{method['id']}")
    stripe_simulator.fault("detach", "429")
    assert run_deletion_job() == {"finished": 0, "failed": 1, "left": 0}
    later(3600)
    assert run_deletion_job() == {"finished": 1, "failed": 0, "left": 0}
    token = method["provider_payment_method_id"]
    assert stripe_simulator.world.methods[token].customer is None


def test_jobs_of_deleted_method_and_its_customer_both_finish(
    api: Api, run_deletion_job: Callable[[], object], stripe_simulator: StripeSimulator
) -> None:
    created = [api.method() for _ in range(2)]
    api.delete(f"/payment-methods/{created[0]['id']}")
    api.delete(f"/customers/{created[0]['customer_id']}")
    assert run_deletion_job() == {"finished": 2, "failed": 0, "left": 0}
    assert [each.id for each in stripe_simulator.world.methods.values() if each.customer] == []


@pytest.mark.parametrize(
    ("role", "status"), [("owner", 204), ("admin", 204), ("billing", 204), ("member", 403)]
)
def test_b9_delete_method_in_organization_needs_writing_role(
    api: Api, signed_in: Callable[..., Api], role: str, status: int
) -> None:
    path = f"/payment-methods/{api.method(organization_id='org_456')['id']}"
    assert signed_in("user_1", org_456=role).delete(path).status == status


def test_delete_method_of_other_user_returns_404_and_keeps_it(api: Api, stranger: Api) -> None:
    path = f"/payment-methods/{api.method()['id']}"
    assert stranger.delete(path).status == 404
    assert api.get(path).status == 200
