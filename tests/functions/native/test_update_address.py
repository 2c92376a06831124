"""PUT /bridge-payment/addresses/{id}. Source: contracts/bridge.md section 5."""

from collections.abc import Callable

import pytest

from functions.native.update_address.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import Api, Reply


def test_the_event_file_is_answered_with_the_changed_address(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/update_address")
    assert (reply.status, reply.body["line2"]) == (200, "2nd floor")
    assert (reply.body["line1"], reply.body["is_default"]) == ("1 Main Street", True)


def test_only_what_is_sent_changes(api: Api) -> None:
    made = api.address(name="Jane", postal_code="62701")
    path = f"/addresses/{made['id']}"
    changed = api.put(path, {"city": "Paris", "country": "fr"}).body
    more = {"city": "Paris", "country": "FR", "updated_at": changed["updated_at"]}
    assert changed == made | more
    assert api.get(path).body == api.put(path, {}).body == changed


def test_the_default_of_a_type_moves_goes_with_its_type_or_is_cleared(api: Api) -> None:
    first, second = api.address(is_default=True), api.address()
    path = f"/addresses/{second['id']}"
    assert api.put(path, {"is_default": True}).body["is_default"]
    assert not api.get(f"/addresses/{first['id']}").body["is_default"]
    assert api.put(path, {"type": "shipping"}).body["is_default"]
    api.put(f"/addresses/{first['id']}", {"is_default": True})
    assert api.get(path).body["is_default"], "it is the other type's"
    assert not api.put(path, {"is_default": False}).body["is_default"]
    assert api.get(f"/addresses/{first['id']}").body["is_default"]


def test_what_is_fixed_may_only_be_repeated(api: Api) -> None:
    made = api.address()
    path = f"/addresses/{made['id']}"
    same = {"id": made["id"], "customer_id": made["customer_id"]}
    assert api.put(path, same | {"line2": "x"}).body["line2"] == "x"
    other = api.put(path, dict.fromkeys(same, "other"))
    assert (other.status, other.code, other.fields) == (400, "immutable_field", set(same))


@pytest.mark.parametrize(
    ("role", "status"), [("owner", 200), ("admin", 200), ("billing", 200), ("member", 403)]
)
def test_b9_writing_roles_change_an_organizations_address(
    api: Api, signed_in: Callable[..., Api], role: str, status: int
) -> None:
    path = f"/addresses/{api.address(organization_id='org_456')['id']}"
    assert signed_in("user_1", org_456=role).put(path, {"line2": "x"}).status == status


def test_somebody_elses_address_is_not_found_and_stays(api: Api, stranger: Api) -> None:
    made = api.address()
    assert stranger.put(f"/addresses/{made['id']}", {"line2": "x"}).status == 404
    assert api.get(f"/addresses/{made['id']}").body == made
