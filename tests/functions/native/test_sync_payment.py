"""POST /bridge-payment/payments/sync/{id}. Source: contracts/bridge.md, section 4."""

from collections.abc import Callable
from datetime import datetime

import pytest

from functions.native.sync_payment.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import GUEST, PAYMENT_FIELDS, VISA, Api, Dashboard, Reply


def test_the_event_file_is_answered_with_the_full_payment(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/sync_payment")
    assert reply.status == 200
    assert reply.body.keys() == PAYMENT_FIELDS
    assert (reply.body["id"], reply.body["status"]) == ("pay_123", "succeeded")


@pytest.mark.parametrize("path", ["/payments/sync/{id}", "/payments/intents/{id}/sync"])
@pytest.mark.parametrize("name", ["id", "provider_payment_id"])
def test_what_was_paid_in_the_browser_is_found(
    api: Api, stripe_simulator: StripeSimulator, path: str, name: str
) -> None:
    made = api.payment()
    intent, secret = made["provider_payment_id"], made["client_secret"]
    stripe_simulator.browser_confirm(intent, secret, "pm_card_visa")
    assert api.get(f"/payments/{made['id']}").body["status"] == "created"
    reply = api.post(path.replace("{id}", made[name]))
    assert (reply.status, reply.body["status"]) == (200, "succeeded")
    assert reply.body["amount_captured_cents"] == 2000
    assert reply.body["client_secret"] is None
    assert api.get(f"/payments/{made['id']}").body == reply.body


def test_a_sync_with_nothing_new_changes_nothing_that_is_shown(api: Api) -> None:
    made = api.payment()
    for _ in range(3):
        assert api.sync(made).body == made


def test_completed_at_is_the_time_of_the_providers_charge(
    api: Api, stripe_simulator: StripeSimulator, later: Callable[[float], None]
) -> None:
    made = api.payment()
    later(60)
    intent, secret = made["provider_payment_id"], made["client_secret"]
    stripe_simulator.browser_confirm(intent, secret, "pm_card_visa")
    later(3600)
    shown = api.sync(made).body
    completed = datetime.fromisoformat(shown["completed_at"])
    assert completed.timestamp() == stripe_simulator.charges()[0]["created"]
    assert made["created_at"] < shown["completed_at"] < shown["updated_at"]


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("429", 503, "provider_unavailable"),
        ("401", 502, "provider_error"),
        ("drop_before", 504, "provider_timeout"),
        ("500_before", 504, "provider_timeout"),
        ("html_502", 504, "provider_timeout"),
    ],
)
def test_with_the_provider_in_trouble_nothing_changes(
    api: Api, stripe_simulator: StripeSimulator, kind: str, status: int, code: str
) -> None:
    made = api.payment()
    stripe_simulator.fault("fetch", kind, times=2)
    reply = api.sync(made)
    assert (reply.status, reply.code) == (status, code)
    assert api.get(f"/payments/{made['id']}").body == made


def test_with_the_provider_down_it_is_503(api: Api, stripe_simulator: StripeSimulator) -> None:
    made = api.payment()
    stripe_simulator.stop()
    try:
        reply = api.sync(made)
    finally:
        stripe_simulator.start()
    assert (reply.status, reply.code) == (503, "provider_unavailable")
    assert int(reply.headers["retry-after"]) >= 1


def test_the_providers_amount_is_the_amount(api: Api, stripe_simulator: StripeSimulator) -> None:
    made = api.payment(subtotal_cents=1800, tax_cents=200)
    stripe_simulator.world.intents[made["provider_payment_id"]].amount = 2500
    shown = api.sync(made).body
    names = ("subtotal_cents", "tax_cents", "discount_cents", "total_cents")
    assert [shown[name] for name in names] == [2300, 200, 0, 2500]


def test_money_wins_over_a_cancellation(
    api: Api, stripe_simulator: StripeSimulator, dashboard: Dashboard
) -> None:
    made = api.payment()
    dashboard.turn(made, "canceled")
    assert api.sync(made).body["status"] == "canceled"
    dashboard.turn(made, "requires_payment_method")
    assert api.sync(made).body["status"] == "canceled"  # said of it later, a cancellation stays
    intent, secret = made["provider_payment_id"], made["client_secret"]
    stripe_simulator.browser_confirm(intent, secret, "pm_card_visa")
    assert api.sync(made).body["status"] == "succeeded"


def test_b17_a_sync_always_asks_whatever_its_key(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    made = api.payment()
    keyed = api.bearing(idempotency_key="k1")
    assert keyed.sync(made).body["status"] == "created"
    intent, secret = made["provider_payment_id"], made["client_secret"]
    stripe_simulator.browser_confirm(intent, secret, "pm_card_visa")
    assert keyed.sync(made).body["status"] == "succeeded"
    assert api.bearing(idempotency_key="two words").sync(made).status == 400


def test_b8_a_guest_token_syncs_its_own_payment(guest: Api, api: Api) -> None:
    made = guest.payment(guest_data=GUEST)
    bearing = guest.bearing(x_guest_token=made["guest_token"])
    assert bearing.sync(made).body["client_secret"] == made["client_secret"]
    assert bearing.sync(api.payment()).status == 404
    assert guest.sync(made).status == 401


def test_b9_a_member_may_look(api: Api, signed_in: Callable[..., Api], stranger: Api) -> None:
    made = api.payment(organization_id="org_456")
    api.confirm(made, VISA)
    assert signed_in("user_1", org_456="member").sync(made).body["status"] == "succeeded"
    assert stranger.sync(made).status == 404


@pytest.mark.parametrize("identifier", ["pay_404", "pi_404", "%20", "x" * 300])
def test_what_nobody_has_is_not_found(api: Api, identifier: str) -> None:
    assert api.post(f"/payments/sync/{identifier}").status == 404
