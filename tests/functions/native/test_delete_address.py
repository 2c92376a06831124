"""DELETE /bridge-payment/addresses/{id}. Source: contracts/bridge.md section 5."""

from collections.abc import Callable

import pytest

from bridge import config
from functions.native.delete_address.handler import handler
from local import database
from local.stripe.simulator import StripeSimulator
from tests.conftest import Environment
from tests.functions.conftest import Api, Reply


def stored() -> str:
    return str(database.client().scan(TableName=config.table_name("ledger"))["Items"])


def test_the_event_file_is_answered_204_without_body_or_content_type(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/delete_address")
    assert (reply.status, reply.text) == (204, "")
    assert "content-type" not in reply.headers


def test_a_deleted_address_is_gone_and_so_is_what_it_held(api: Api) -> None:
    made = api.address(line1="12 Nobody Lane", is_default=True)
    kept = api.address()
    path = f"/addresses/{made['id']}"
    assert api.delete(path).status == 204
    assert api.get(path).status == api.delete(path).status == 404
    assert api.put(path, {"line2": "x"}).status == 404
    assert api.get("/addresses").body == [kept], "no other one becomes the default"
    assert made["id"] not in stored()
    assert "Nobody Lane" not in stored()


def test_a_method_no_longer_names_an_address_that_is_deleted(api: Api) -> None:
    """So what a client reads of a method it may send back."""
    gone, kept = api.address(), api.address()
    billed = [api.method(billing_address_id=gone["id"]) for _ in range(2)]
    other = api.method(billing_address_id=kept["id"])
    assert api.delete(f"/addresses/{gone['id']}").status == 204
    for each in billed:
        told = api.get(f"/payment-methods/{each['id']}").body
        assert told == each | {"billing_address_id": None, "updated_at": told["updated_at"]}
        assert api.put(f"/payment-methods/{each['id']}", told).status == 200
    assert api.get(f"/payment-methods/{other['id']}").body == other
    assert gone["id"] not in stored()


def test_b12_a_customers_addresses_are_deleted_with_it(api: Api, environment: Environment) -> None:
    made = [api.address(line1=f"{number} Nobody Lane") for number in range(30)]
    api.delete(f"/customers/{made[0]['customer_id']}")
    environment.gateway.functions.invoke("JobsFinishDeletion", {})
    assert "Nobody Lane" not in stored()
    assert not [each["id"] for each in made if each["id"] in stored()]


@pytest.mark.parametrize(
    ("role", "status"), [("owner", 204), ("admin", 204), ("billing", 204), ("member", 403)]
)
def test_b9_writing_roles_delete_an_organizations_address(
    api: Api, signed_in: Callable[..., Api], role: str, status: int
) -> None:
    path = f"/addresses/{api.address(organization_id='org_456')['id']}"
    assert signed_in("user_1", org_456=role).delete(path).status == status


def test_somebody_elses_address_is_not_found_and_stays(api: Api, stranger: Api) -> None:
    path = f"/addresses/{api.address()['id']}"
    assert stranger.delete(path).status == 404
    assert api.get(path).status == 200
