"""PUT /bridge-payment/addresses/{id}. Source: docs/api/native.md, section 5."""

from collections.abc import Callable

import pytest

from functions.native.update_address.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import Api, Reply


def test_update_address_with_event_file_returns_changed_address(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/update_address")
    assert (reply.status, reply.body["line2"]) == (200, "2nd floor")
    assert (reply.body["line1"], reply.body["is_default"]) == ("1 Main Street", True)


def test_update_address_changes_only_sent_fields(api: Api) -> None:
    address = api.address(name="Jane", postal_code="62701")
    path = f"/addresses/{address['id']}"
    changed = api.put(path, {"city": "Paris", "country": "fr"}).body
    more = {"city": "Paris", "country": "FR", "updated_at": changed["updated_at"]}
    assert changed == address | more
    assert api.get(path).body == api.put(path, {}).body == changed


def test_update_address_moves_keeps_or_clears_default_of_its_type(api: Api) -> None:
    first, second = api.address(is_default=True), api.address()
    path = f"/addresses/{second['id']}"
    assert api.put(path, {"is_default": True}).body["is_default"]
    assert not api.get(f"/addresses/{first['id']}").body["is_default"]
    assert api.put(path, {"type": "shipping"}).body["is_default"]
    api.put(f"/addresses/{first['id']}", {"is_default": True})
    assert api.get(path).body["is_default"], "it is the other type's"
    assert not api.put(path, {"is_default": False}).body["is_default"]
    assert api.get(f"/addresses/{first['id']}").body["is_default"]


def test_update_address_accepts_same_immutable_fields_and_returns_400_for_other_values(
    api: Api,
) -> None:
    address = api.address()
    path = f"/addresses/{address['id']}"
    same = {"id": address["id"], "customer_id": address["customer_id"]}
    assert api.put(path, same | {"line2": "x"}).body["line2"] == "x"
    other = api.put(path, dict.fromkeys(same, "other"))
    assert (other.status, other.code, other.fields) == (400, "immutable_field", set(same))


@pytest.mark.parametrize(
    ("role", "status"), [("owner", 200), ("admin", 200), ("billing", 200), ("member", 403)]
)
def test_b9_update_address_in_organization_needs_writing_role(
    api: Api, signed_in: Callable[..., Api], role: str, status: int
) -> None:
    path = f"/addresses/{api.address(organization_id='org_456')['id']}"
    assert signed_in("user_1", org_456=role).put(path, {"line2": "x"}).status == status


def test_update_address_of_other_user_returns_404_and_keeps_it(api: Api, stranger: Api) -> None:
    address = api.address()
    assert stranger.put(f"/addresses/{address['id']}", {"line2": "x"}).status == 404
    assert api.get(f"/addresses/{address['id']}").body == address
