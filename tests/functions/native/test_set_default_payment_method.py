"""POST /bridge-payment/payment-methods/{id}/set-default. Source: docs/api/native.md, section 5."""

from collections.abc import Callable

from functions.native.set_default_payment_method.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import Api, Reply


def test_set_default_with_event_file_returns_method(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/set_default_payment_method")
    assert (reply.status, reply.body["id"]) == (200, "pm_saved_card_123")
    assert reply.body["is_default"]


def test_set_default_moves_default_within_one_customer(api: Api) -> None:
    first, second = api.method(), api.method()
    other = api.method(customer_id=api.customer()["id"])
    for chosen in (second, second, first):
        reply = api.post(f"/payment-methods/{chosen['id']}/set-default")
        assert (reply.status, reply.body["is_default"]) == (200, True)
        defaults = [each["id"] for each in api.get("/payment-methods").body if each["is_default"]]
        assert defaults == [other["id"], chosen["id"]]


def test_confirm_without_method_does_not_use_default_and_returns_400(api: Api) -> None:
    api.method()
    reply = api.confirm(api.payment())
    assert (reply.status, reply.code) == (400, "payment_method_required")


def test_set_default_of_others_or_deleted_method_returns_404(api: Api, stranger: Api) -> None:
    path = f"/payment-methods/{api.method()['id']}"
    assert stranger.post(f"{path}/set-default").status == 404
    api.delete(path)
    assert api.post(f"{path}/set-default").status == 404


def test_b9_set_default_by_member_returns_403(api: Api, signed_in: Callable[..., Api]) -> None:
    method = api.method(organization_id="org_456")
    member = signed_in("user_1", org_456="member")
    assert member.post(f"/payment-methods/{method['id']}/set-default").status == 403
