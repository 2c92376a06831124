"""POST /bridge-payment/payment-methods/{id}/set-default. Source: contracts/bridge.md section 5."""

from collections.abc import Callable

from functions.native.set_default_payment_method.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import Api, Reply


def test_the_event_file_is_answered_with_the_method(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/set_default_payment_method")
    assert (reply.status, reply.body["id"]) == (200, "pm_saved_card_123")
    assert reply.body["is_default"]


def test_one_method_of_a_customer_is_the_default_and_customers_do_not_mix(api: Api) -> None:
    first, second = api.method(), api.method()
    other = api.method(customer_id=api.customer()["id"])
    for chosen in (second, second, first):
        reply = api.post(f"/payment-methods/{chosen['id']}/set-default")
        assert (reply.status, reply.body["is_default"]) == (200, True)
        shown = [each["id"] for each in api.get("/payment-methods").body if each["is_default"]]
        assert shown == [other["id"], chosen["id"]]


def test_confirm_never_falls_back_to_the_default(api: Api) -> None:
    api.method()
    reply = api.confirm(api.payment())
    assert (reply.status, reply.code) == (400, "payment_method_required")


def test_somebody_elses_or_a_deleted_method_is_not_found(api: Api, stranger: Api) -> None:
    path = f"/payment-methods/{api.method()['id']}"
    assert stranger.post(f"{path}/set-default").status == 404
    api.delete(path)
    assert api.post(f"{path}/set-default").status == 404


def test_b9_a_member_chooses_nothing(api: Api, signed_in: Callable[..., Api]) -> None:
    made = api.method(organization_id="org_456")
    member = signed_in("user_1", org_456="member")
    assert member.post(f"/payment-methods/{made['id']}/set-default").status == 403
