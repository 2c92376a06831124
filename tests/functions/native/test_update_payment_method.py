"""PUT /bridge-payment/payment-methods/{id}. Source: docs/api/native.md, section 5."""

from collections.abc import Callable

import pytest

from functions.native.update_payment_method.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import Api, Reply


def test_update_method_with_event_file_returns_changed_method(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/update_payment_method")
    assert (reply.status, reply.body["alias"]) == (200, "Travel card")
    assert (reply.body["id"], reply.body["is_default"]) == ("pm_saved_card_123", True)


def test_update_method_changes_only_sent_fields_and_replaces_metadata(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    method = api.method(alias="Home", metadata={"a": 1, "b": 2})
    calls = len(stripe_simulator.requests)
    changed = api.put(f"/payment-methods/{method['id']}", {"metadata": {"a": True}}).body
    assert changed == method | {"metadata": {"a": True}, "updated_at": changed["updated_at"]}
    assert api.get(f"/payment-methods/{method['id']}").body == changed
    assert api.put(f"/payment-methods/{method['id']}", {}).body == changed
    assert len(stripe_simulator.requests) == calls


def test_update_method_moves_or_clears_default(api: Api) -> None:
    first, second = api.method(), api.method()
    path = f"/payment-methods/{second['id']}"
    assert api.put(path, {"is_default": True}).body["is_default"]
    assert not api.get(f"/payment-methods/{first['id']}").body["is_default"]
    assert not api.put(path, {"is_default": False}).body["is_default"]
    assert [each["is_default"] for each in api.get("/payment-methods").body] == [False, False]
    assert api.method()["is_default"], "the next one that is attached"


def test_update_method_accepts_same_immutable_fields_and_returns_400_for_other_values(
    api: Api,
) -> None:
    method = api.method()
    names = ("id", "customer_id", "provider_id", "provider_payment_method_id", "type")
    path = f"/payment-methods/{method['id']}"
    same = {name: method[name] for name in names}
    assert api.put(path, same | {"alias": "x"}).body["alias"] == "x"
    other = api.put(path, dict.fromkeys(names, "other"))
    assert (other.status, other.code, other.fields) == (400, "immutable_field", set(names))


@pytest.mark.parametrize(
    ("role", "status"), [("owner", 200), ("admin", 200), ("billing", 200), ("member", 403)]
)
def test_b9_update_method_in_organization_needs_writing_role(
    api: Api, signed_in: Callable[..., Api], role: str, status: int
) -> None:
    path = f"/payment-methods/{api.method(organization_id='org_456')['id']}"
    assert signed_in("user_1", org_456=role).put(path, {"alias": "x"}).status == status


def test_update_method_of_other_user_returns_404_and_keeps_it(api: Api, stranger: Api) -> None:
    method = api.method()
    assert stranger.put(f"/payment-methods/{method['id']}", {"alias": "x"}).status == 404
    assert api.get(f"/payment-methods/{method['id']}").body == method
