"""DELETE /bridge-payment/payment-methods/{id}. Source: contracts/bridge.md section 5."""

from collections.abc import Callable

import pytest

from functions.native.delete_payment_method.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.conftest import Environment
from tests.functions.conftest import Api, Reply


@pytest.fixture
def finish(environment: Environment) -> Callable[[], object]:
    """The job that runs every minute."""
    return lambda: environment.gateway.functions.invoke("JobsFinishDeletion", {})


def test_the_event_file_is_answered_204_without_body_or_content_type(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/delete_payment_method")
    assert (reply.status, reply.text) == (204, "")
    assert "content-type" not in reply.headers


def test_a_deleted_method_is_gone_from_everywhere_at_once(api: Api) -> None:
    made, kept = api.method(), api.method()
    path = f"/payment-methods/{made['id']}"
    assert api.delete(path).status == 204
    assert api.get(path).status == api.put(path, {"alias": "x"}).status == 404
    assert api.delete(path).status == 404
    shown = [kept | {"is_default": True}]
    assert api.get("/payment-methods").body == shown
    assert api.get(f"/payment-methods/customer/{made['customer_id']}").body == shown


def test_a_deleted_method_pays_no_more(api: Api) -> None:
    made = api.method()
    stored = api.payment(payment_method_id=made["id"])
    payment = api.payment()
    api.delete(f"/payment-methods/{made['id']}")
    assert api.confirm(payment, {"payment_method_id": made["id"]}).status == 404
    assert api.confirm(stored).code == "payment_method_required"


def test_deleting_the_default_promotes_the_newest_and_deleting_another_does_not(api: Api) -> None:
    made = [api.method() for _ in range(4)]
    api.delete(f"/payment-methods/{made[1]['id']}")
    assert api.get(f"/payment-methods/{made[0]['id']}").body["is_default"]
    api.delete(f"/payment-methods/{made[0]['id']}")
    assert api.get(f"/payment-methods/{made[3]['id']}").body["is_default"]
    for each in made[2:]:
        api.delete(f"/payment-methods/{each['id']}")
    assert api.get("/payment-methods").body == []
    assert api.method()["is_default"]


def test_the_provider_is_told_by_the_job(
    api: Api, finish: Callable[[], object], stripe_simulator: StripeSimulator
) -> None:
    made, kept = api.method(), api.method()
    asked = len(stripe_simulator.requests)
    api.delete(f"/payment-methods/{made['id']}")
    assert len(stripe_simulator.requests) == asked
    assert finish() == {"finished": 1, "failed": 0, "left": 0}
    held = stripe_simulator.world.methods
    assert held[made["provider_payment_method_id"]].customer is None
    assert held[kept["provider_payment_method_id"]].customer is not None
    assert finish() == {"finished": 0, "failed": 0, "left": 0}


def test_what_fails_at_the_provider_is_finished_later(
    api: Api,
    finish: Callable[[], object],
    stripe_simulator: StripeSimulator,
    later: Callable[[float], None],
) -> None:
    made = api.method()
    api.delete(f"/payment-methods/{made['id']}")
    stripe_simulator.fault("detach", "429")
    assert finish() == {"finished": 0, "failed": 1, "left": 0}
    later(3600)
    assert finish() == {"finished": 1, "failed": 0, "left": 0}
    token = made["provider_payment_method_id"]
    assert stripe_simulator.world.methods[token].customer is None


def test_its_customers_deletion_and_its_own_do_not_get_in_each_others_way(
    api: Api, finish: Callable[[], object], stripe_simulator: StripeSimulator
) -> None:
    made = [api.method() for _ in range(2)]
    api.delete(f"/payment-methods/{made[0]['id']}")
    api.delete(f"/customers/{made[0]['customer_id']}")
    assert finish() == {"finished": 2, "failed": 0, "left": 0}
    assert [each.id for each in stripe_simulator.world.methods.values() if each.customer] == []


@pytest.mark.parametrize(
    ("role", "status"), [("owner", 204), ("admin", 204), ("billing", 204), ("member", 403)]
)
def test_b9_writing_roles_delete_an_organizations_method(
    api: Api, signed_in: Callable[..., Api], role: str, status: int
) -> None:
    path = f"/payment-methods/{api.method(organization_id='org_456')['id']}"
    assert signed_in("user_1", org_456=role).delete(path).status == status


def test_somebody_elses_method_is_not_found_and_stays(api: Api, stranger: Api) -> None:
    path = f"/payment-methods/{api.method()['id']}"
    assert stranger.delete(path).status == 404
    assert api.get(path).status == 200
