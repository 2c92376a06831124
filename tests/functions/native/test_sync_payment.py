"""POST /bridge-payment/payments/sync/{id}. Source: docs/api/native.md, section 4."""

from collections.abc import Callable
from datetime import datetime

import pytest

from functions.native.sync_payment.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import (
    GUEST,
    VISA,
    Api,
    Dashboard,
    Reply,
)
from tests.response_fields import (
    PAYMENT_FIELDS,
)


def test_sync_with_event_file_returns_all_fields(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/sync_payment")
    assert reply.status == 200
    assert reply.body.keys() == PAYMENT_FIELDS
    assert (reply.body["id"], reply.body["status"]) == ("pay_123", "succeeded")


@pytest.mark.parametrize("path", ["/payments/sync/{id}", "/payments/intents/{id}/sync"])
@pytest.mark.parametrize("name", ["id", "provider_payment_id"])
def test_sync_finds_payment_confirmed_in_browser(
    api: Api, stripe_simulator: StripeSimulator, path: str, name: str
) -> None:
    payment = api.payment()
    intent, secret = payment["provider_payment_id"], payment["client_secret"]
    stripe_simulator.browser_confirm(intent, secret, "pm_card_visa")
    assert api.get(f"/payments/{payment['id']}").body["status"] == "created"
    reply = api.post(path.replace("{id}", payment[name]))
    assert (reply.status, reply.body["status"]) == (200, "succeeded")
    assert reply.body["amount_captured_cents"] == 2000
    assert reply.body["client_secret"] is None
    assert api.get(f"/payments/{payment['id']}").body == reply.body


def test_sync_without_news_returns_payment_unchanged(api: Api) -> None:
    payment = api.payment()
    for _ in range(3):
        assert api.sync(payment).body == payment


def test_sync_sets_completed_at_to_time_of_charge(
    api: Api, stripe_simulator: StripeSimulator, later: Callable[[float], None]
) -> None:
    payment = api.payment()
    later(60)
    intent, secret = payment["provider_payment_id"], payment["client_secret"]
    stripe_simulator.browser_confirm(intent, secret, "pm_card_visa")
    later(3600)
    body = api.sync(payment).body
    completed = datetime.fromisoformat(body["completed_at"])
    assert completed.timestamp() == stripe_simulator.charges()[0]["created"]
    assert payment["created_at"] < body["completed_at"] < body["updated_at"]


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
def test_sync_with_provider_error_returns_5xx_and_changes_nothing(
    api: Api, stripe_simulator: StripeSimulator, kind: str, status: int, code: str
) -> None:
    payment = api.payment()
    stripe_simulator.fault("fetch", kind, times=2)
    reply = api.sync(payment)
    assert (reply.status, reply.code) == (status, code)
    assert api.get(f"/payments/{payment['id']}").body == payment


def test_sync_with_provider_down_returns_503(api: Api, stripe_simulator: StripeSimulator) -> None:
    payment = api.payment()
    stripe_simulator.stop()
    try:
        reply = api.sync(payment)
    finally:
        stripe_simulator.start()
    assert (reply.status, reply.code) == (503, "provider_unavailable")
    assert int(reply.headers["retry-after"]) >= 1


def test_rule10_sync_takes_amount_of_provider(api: Api, stripe_simulator: StripeSimulator) -> None:
    payment = api.payment(subtotal_cents=1800, tax_cents=200)
    stripe_simulator.world.intents[payment["provider_payment_id"]].amount = 2500
    body = api.sync(payment).body
    names = ("subtotal_cents", "tax_cents", "discount_cents", "total_cents")
    assert [body[name] for name in names] == [2300, 200, 0, 2500]


def test_sync_of_canceled_payment_returns_succeeded_only_after_charge(
    api: Api, stripe_simulator: StripeSimulator, dashboard: Dashboard
) -> None:
    payment = api.payment()
    dashboard.turn(payment, "canceled")
    assert api.sync(payment).body["status"] == "canceled"
    dashboard.turn(payment, "requires_payment_method")
    assert api.sync(payment).body["status"] == "canceled"  # only a charge ends this state
    intent, secret = payment["provider_payment_id"], payment["client_secret"]
    stripe_simulator.browser_confirm(intent, secret, "pm_card_visa")
    assert api.sync(payment).body["status"] == "succeeded"


def test_b17_sync_with_same_key_asks_provider_again(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    payment = api.payment()
    keyed = api.with_headers(idempotency_key="k1")
    assert keyed.sync(payment).body["status"] == "created"
    intent, secret = payment["provider_payment_id"], payment["client_secret"]
    stripe_simulator.browser_confirm(intent, secret, "pm_card_visa")
    assert keyed.sync(payment).body["status"] == "succeeded"
    assert api.with_headers(idempotency_key="two words").sync(payment).status == 400


def test_b8_guest_token_syncs_only_its_payment(guest: Api, api: Api) -> None:
    payment = guest.payment(guest_data=GUEST)
    with_token = guest.with_headers(x_guest_token=payment["guest_token"])
    assert with_token.sync(payment).body["client_secret"] == payment["client_secret"]
    assert with_token.sync(api.payment()).status == 404
    assert guest.sync(payment).status == 401


def test_b9_member_may_sync_payment_of_organization(
    api: Api, signed_in: Callable[..., Api], stranger: Api
) -> None:
    payment = api.payment(organization_id="org_456")
    api.confirm(payment, VISA)
    assert signed_in("user_1", org_456="member").sync(payment).body["status"] == "succeeded"
    assert stranger.sync(payment).status == 404


@pytest.mark.parametrize("identifier", ["pay_404", "pi_404", "%20", "x" * 300])
def test_sync_returns_404_for_unknown_id(api: Api, identifier: str) -> None:
    assert api.post(f"/payments/sync/{identifier}").status == 404
