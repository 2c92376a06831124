"""GET /bridge-payment/payments/{id}/refunds. Source: contracts/bridge.md, section 4."""

from collections.abc import Callable

import pytest

from functions.native.list_refunds.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import GUEST, VISA, Api, Reply


def test_the_event_file_is_answered_with_no_refund(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/list_refunds")
    assert (reply.status, reply.body) == (200, [])


@pytest.mark.parametrize("name", ["id", "provider_payment_id"])
def test_refunds_are_told_as_they_were_answered(api: Api, name: str) -> None:
    made = api.payment()
    api.confirm(made, VISA)
    path = f"/payments/{made['id']}/refund"
    answered = [api.post(path, {"amount_cents": cents}).body for cents in (300, 200)]
    reply = api.get(f"/payments/{made[name]}/refunds")
    assert (reply.status, reply.body) == (200, answered)


def test_a_refund_of_the_dashboard_is_listed_once_it_is_known(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    made = api.payment()
    api.confirm(made, VISA)
    stripe_simulator.dashboard("refund", made["provider_payment_id"], 700)
    api.sync(made)
    (told,) = api.get(f"/payments/{made['id']}/refunds").body
    assert (told["amount_cents"], told["status"]) == (700, "succeeded")
    assert told["reason"] == "requested_by_customer"


def test_others_see_none(api: Api, stranger: Api, guest: Api) -> None:
    made = api.payment()
    assert stranger.get(f"/payments/{made['id']}/refunds").status == 404
    theirs = guest.payment(guest_data=GUEST)
    bearer = guest.bearing(x_guest_token=theirs["guest_token"])
    assert bearer.get(f"/payments/{theirs['id']}/refunds").status == 401
