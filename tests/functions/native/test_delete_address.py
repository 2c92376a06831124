"""DELETE /bridge-payment/addresses/{id}. Source: docs/api/native.md, section 5."""

from collections.abc import Callable

import pytest

from bridge import config
from functions.native.delete_address.handler import handler
from local import database
from local.stripe.simulator import StripeSimulator
from tests.conftest import Environment
from tests.functions.conftest import Api, Reply


def ledger_text() -> str:
    return str(database.client().scan(TableName=config.table_name("ledger"))["Items"])


def test_delete_address_with_event_file_returns_204_without_body(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/delete_address")
    assert (reply.status, reply.text) == (204, "")
    assert "content-type" not in reply.headers


def test_deleted_address_returns_404_and_its_text_is_erased(api: Api) -> None:
    address = api.address(line1="12 Nobody Lane", is_default=True)
    kept = api.address()
    path = f"/addresses/{address['id']}"
    assert api.delete(path).status == 204
    assert api.get(path).status == api.delete(path).status == 404
    assert api.put(path, {"line2": "x"}).status == 404
    assert api.get("/addresses").body == [kept], "no other one becomes the default"
    assert address["id"] not in ledger_text()
    assert "Nobody Lane" not in ledger_text()


def test_delete_address_removes_it_from_payment_methods(api: Api) -> None:
    """A client can read such a method and send all of it back."""
    gone, kept = api.address(), api.address()
    billed = [api.method(billing_address_id=gone["id"]) for _ in range(2)]
    other = api.method(billing_address_id=kept["id"])
    assert api.delete(f"/addresses/{gone['id']}").status == 204
    for each in billed:
        method = api.get(f"/payment-methods/{each['id']}").body
        assert method == each | {"billing_address_id": None, "updated_at": method["updated_at"]}
        assert api.put(f"/payment-methods/{each['id']}", method).status == 200
    assert api.get(f"/payment-methods/{other['id']}").body == other
    assert gone["id"] not in ledger_text()


def test_b12_delete_customer_erases_its_addresses(api: Api, environment: Environment) -> None:
    created = [api.address(line1=f"{number} Nobody Lane") for number in range(30)]
    api.delete(f"/customers/{created[0]['customer_id']}")
    environment.gateway.functions.invoke("JobsFinishDeletion", {})
    assert "Nobody Lane" not in ledger_text()
    assert not [each["id"] for each in created if each["id"] in ledger_text()]


@pytest.mark.parametrize(
    ("role", "status"), [("owner", 204), ("admin", 204), ("billing", 204), ("member", 403)]
)
def test_b9_delete_address_in_organization_needs_writing_role(
    api: Api, signed_in: Callable[..., Api], role: str, status: int
) -> None:
    path = f"/addresses/{api.address(organization_id='org_456')['id']}"
    assert signed_in("user_1", org_456=role).delete(path).status == status


def test_delete_address_of_other_user_returns_404_and_keeps_it(api: Api, stranger: Api) -> None:
    path = f"/addresses/{api.address()['id']}"
    assert stranger.delete(path).status == 404
    assert api.get(path).status == 200
