"""POST /bridge-payment/payments/confirm/{id}. Source: contracts/bridge.md, section 4."""

from collections.abc import Callable

import pytest

from functions.native.confirm_payment.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import (
    GUEST,
    LONG_KEY,
    PAYMENT_FIELDS,
    TIME,
    VISA,
    Api,
    Dashboard,
    Reply,
)

Setting = Callable[[str, str], None]
Later = Callable[[float], None]
SECURE = {"payment_method_id": "pm_card_threeDSecure2Required"}
LOST = {"payment_method_id": "pm_card_visa_chargeDeclinedLostCard"}


def test_the_event_file_is_answered_with_the_documented_payment(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/confirm_payment")
    assert reply.status == 200
    assert reply.body.keys() == PAYMENT_FIELDS
    shown = [reply.body[name] for name in ("id", "status", "provider_payment_id")]
    assert shown == ["pay_123", "succeeded", "pi_stripe_abc123"]
    assert TIME.fullmatch(reply.body["completed_at"])
    assert len(demo_data.charges()) == 2  # of pay_123, and the hold of pay_456


def test_a_confirm_charges_once_and_tells_it(api: Api, stripe_simulator: StripeSimulator) -> None:
    made = api.payment()
    reply = api.confirm(made, VISA)
    assert (reply.status, reply.body["status"]) == (200, "succeeded")
    assert reply.body["amount_captured_cents"] == 2000
    assert reply.body["amount_refunded_cents"] == 0
    assert reply.body["payment_method_id"] == "pm_card_visa"
    assert reply.body["completed_at"]
    (charge,) = stripe_simulator.charges()
    assert charge["amount"] == 2000
    sent = stripe_simulator.requests[-1]
    assert sent.headers["Idempotency-Key"] == made["id"].removeprefix("pay_") + ".2"
    assert sent.form["payment_method"] == "pm_card_visa"
    assert sent.form.keys().isdisjoint({"off_session", "confirm", "metadata"})


@pytest.mark.parametrize("path", ["/payments/confirm/{id}", "/payments/intents/{id}/confirm"])
@pytest.mark.parametrize("name", ["id", "provider_payment_id"])
def test_a_payment_is_named_by_our_id_or_the_providers_on_both_paths(
    api: Api, path: str, name: str
) -> None:
    made = api.payment()
    reply = api.post(path.replace("{id}", made[name]), VISA)
    assert (reply.status, reply.body["status"]) == (200, "succeeded")
    assert reply.body["id"] == made["id"]


def test_b3_an_empty_body_uses_the_stored_method(api: Api) -> None:
    made = api.payment(**VISA)
    assert api.confirm(made).body["status"] == "succeeded"


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"payment_method_id": 5}', b"null"])
def test_b3_another_body_that_is_no_object_is_refused(api: Api, body: bytes) -> None:
    made = api.payment(**VISA)
    reply = api.post(f"/payments/confirm/{made['id']}", body)
    assert reply.status == 400
    assert api.get(f"/payments/{made['id']}").body["status"] == "created"


def test_with_no_method_at_all_one_is_required(api: Api, stripe_simulator: StripeSimulator) -> None:
    made = api.payment()
    reply = api.confirm(made)
    assert (reply.status, reply.code) == (400, "payment_method_required")
    assert reply.fields == {"payment_method_id"}
    intent, secret = made["provider_payment_id"], made["client_secret"]
    stripe_simulator.browser_attach(intent, secret, "pm_card_visa")
    assert api.confirm(made).body["status"] == "succeeded"


def test_a_decline_is_402_and_the_payment_may_be_confirmed_again(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    made = api.payment()
    reply = api.confirm(made, LOST)
    assert (reply.status, reply.code) == (402, "payment_declined")
    assert reply.body["decline_code"] == "lost_card"
    assert reply.body["payment_id"] == made["id"]
    failed = api.get(f"/payments/{made['id']}").body
    assert (failed["status"], failed["failure_code"]) == ("failed", "card_declined")
    assert failed["client_secret"] == made["client_secret"]
    paid = api.confirm(made, VISA).body
    assert (paid["status"], paid["failure_code"], paid["failure_message"]) == (
        "succeeded",
        None,
        None,
    )
    assert len(stripe_simulator.charges()) == 1


@pytest.mark.parametrize(
    ("method", "reason"),
    [
        ("pm_card_visa_chargeDeclined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc"),
        ("pm_card_chargeDeclinedProcessingError", "processing_error"),
    ],
)
def test_the_reason_of_a_decline_is_told(api: Api, method: str, reason: str) -> None:
    reply = api.confirm(api.payment(), {"payment_method_id": method})
    assert (reply.status, reply.body["decline_code"]) == (402, reason)
    assert reply.body["error"]


@pytest.mark.parametrize("status", ["processing", "requires_capture"])
def test_b13_what_has_been_confirmed_answers_200_and_calls_nobody(
    api: Api, stripe_simulator: StripeSimulator, dashboard: Dashboard, status: str
) -> None:
    made = api.payment()
    dashboard.turn(made, status)  # type: ignore[arg-type]
    assert api.sync(made).body["status"] == status
    calls = len(stripe_simulator.requests)
    reply = api.confirm(made, VISA)
    assert (reply.status, reply.body["status"]) == (200, status)
    assert len(stripe_simulator.requests) == calls


def test_b13_a_manual_capture_is_only_authorized(api: Api) -> None:
    reply = api.confirm(api.payment(capture_method="manual"), VISA)
    assert (reply.status, reply.body["status"]) == (200, "requires_capture")
    assert reply.body["amount_captured_cents"] == 0
    assert reply.body["completed_at"] is None


def test_b13_refunds_and_disputes_show_and_only_a_full_refund_forbids_a_confirm(
    api: Api, stripe_simulator: StripeSimulator, dashboard: Dashboard
) -> None:
    made = api.payment()
    api.confirm(made, VISA)
    dashboard.refund(made, 500)
    partly = api.sync(made).body
    assert (partly["status"], partly["amount_refunded_cents"]) == ("partially_refunded", 500)
    assert api.confirm(made, VISA).body["status"] == "partially_refunded"
    dashboard.dispute(made)
    assert api.sync(made).body["status"] == "disputed"
    assert api.confirm(made, VISA).status == 200
    other = api.payment()
    api.confirm(other, VISA)
    dashboard.refund(other, 2000)
    assert api.sync(other).body["status"] == "refunded"
    reply = api.confirm(other, VISA)
    assert (reply.status, reply.code) == (409, "payment_not_confirmable")
    assert len(stripe_simulator.charges()) == 2


def test_b13_what_was_canceled_cannot_be_confirmed(
    api: Api, stripe_simulator: StripeSimulator, dashboard: Dashboard
) -> None:
    made = api.payment()
    dashboard.turn(made, "canceled")
    refused = api.confirm(made, VISA)  # our row does not know yet: the provider says so
    assert (refused.status, refused.code) == (409, "payment_not_confirmable")
    assert api.sync(made).body["status"] == "canceled"
    reply = api.confirm(made, VISA)
    assert (reply.status, reply.code) == (409, "payment_not_confirmable")
    assert stripe_simulator.charges() == []


def test_b16_who_must_act_is_sent_to_the_bank_or_back_to_the_browser(
    api: Api, setting: Setting, stripe_simulator: StripeSimulator
) -> None:
    made = api.payment(return_url="http://localhost:3000/back")
    waiting = api.confirm(made, SECURE)
    assert (waiting.status, waiting.body["status"]) == (200, "requires_action")
    action = waiting.body["next_action"]
    assert action.keys() == {"type", "url"}
    assert action["type"] == "redirect"
    assert action["url"].startswith(stripe_simulator.url)
    setting("RETURN_URL", "")
    there = api.confirm(api.payment(), SECURE).body
    assert there["status"] == "requires_action"
    assert there["next_action"] == {"type": "use_client_secret"}
    stripe_simulator.authenticate(made["provider_payment_id"], success=True)
    paid = api.sync(made).body
    assert (paid["status"], paid["next_action"]) == ("succeeded", None)


def test_b16_next_action_is_null_where_nobody_must_act(api: Api) -> None:
    made = api.payment()
    assert made["next_action"] is None
    assert api.confirm(made, VISA).body["next_action"] is None


def test_a_waiting_payment_may_be_confirmed_with_another_method(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    made = api.payment()
    assert api.confirm(made, SECURE).body["status"] == "requires_action"
    assert api.confirm(made, VISA).body["status"] == "succeeded"
    assert len(stripe_simulator.charges()) == 1


def test_b17_a_confirm_is_told_again_and_charges_once(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    made = api.payment()
    keyed = api.bearing(idempotency_key="k1")
    first, again = keyed.confirm(made, VISA), keyed.confirm(made, VISA)
    assert (first.status, first.replayed) == (200, False)
    assert (again.status, again.replayed) == (200, True)
    assert again.body == first.body
    assert len(stripe_simulator.charges()) == 1


def test_b17_a_replay_tells_the_answer_of_its_time_with_the_secret_added(
    api: Api, stripe_simulator: StripeSimulator, later: Later
) -> None:
    made = api.payment()
    keyed = api.bearing(idempotency_key="k1")
    waiting = keyed.confirm(made, SECURE).body
    assert waiting["client_secret"] == made["client_secret"]
    again = keyed.confirm(made, SECURE)
    assert (again.replayed, again.body) == (True, waiting)
    stripe_simulator.authenticate(made["provider_payment_id"], success=True)
    assert api.sync(made).body["status"] == "succeeded"
    told = keyed.confirm(made, SECURE)
    assert (told.replayed, told.body) == (True, waiting | {"client_secret": None})
    later(25 * 3600)
    assert keyed.confirm(made, SECURE).body["status"] == "succeeded"


def test_b17_a_decline_is_replayed_too(api: Api, stripe_simulator: StripeSimulator) -> None:
    made = api.payment()
    keyed = api.bearing(idempotency_key="k1")
    first, again = keyed.confirm(made, LOST), keyed.confirm(made, LOST)
    assert (first.status, first.replayed) == (402, False)
    assert (again.status, again.replayed) == (402, True)
    assert {**again.body, "request_id": ""} == {**first.body, "request_id": ""}
    assert len(stripe_simulator.declines()) == 1


def test_b17_a_key_with_another_request_is_refused(api: Api) -> None:
    made = api.payment()
    keyed = api.bearing(idempotency_key="k1")
    keyed.confirm(made, LOST)
    reply = keyed.confirm(made, VISA)
    assert (reply.status, reply.code) == (409, "idempotency_key_reused")


def test_b17_the_scope_of_a_key_is_the_payment(
    api: Api, stranger: Api, stripe_simulator: StripeSimulator
) -> None:
    first, second = api.payment(), api.payment()
    keyed = api.bearing(idempotency_key="k1")
    assert not keyed.confirm(first, VISA).replayed
    assert not keyed.confirm(second, VISA).replayed
    assert len(stripe_simulator.charges()) == 2
    assert stranger.bearing(idempotency_key="k1").confirm(first, VISA).status == 404


def test_b17_refusals_free_the_key(api: Api, stripe_simulator: StripeSimulator) -> None:
    made = api.payment()
    keyed = api.bearing(idempotency_key="k1")
    assert keyed.confirm(made).status == 400
    unknown = {"payment_method_id": "pm_nobody_knows"}
    assert keyed.confirm(made, unknown).status == 400
    stripe_simulator.fault("confirm", "429")
    assert keyed.confirm(made, VISA).status == 503
    stripe_simulator.fault("confirm", "401", times=2)
    assert keyed.confirm(made, VISA).status == 502
    reply = keyed.confirm(made, VISA)
    assert (reply.status, reply.replayed) == (200, False)
    assert len(stripe_simulator.charges()) == 1


def test_b17_without_a_key_a_repeated_confirm_charges_once(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    made = api.payment()
    for _ in range(3):
        assert api.confirm(made, VISA).body["status"] == "succeeded"
    assert len(stripe_simulator.charges()) == 1


def test_b18_a_saved_method_pays_for_its_customers_payments_alone(
    demo_data: StripeSimulator, api: Api, stranger: Api
) -> None:
    saved = {"payment_method_id": "pm_saved_card_123"}
    mine, other = api.payment(customer_id="cust_456"), api.payment(customer_id="cust_123")
    paid = api.confirm(mine, saved).body
    assert (paid["status"], paid["payment_method_id"]) == ("succeeded", "pm_saved_card_123")
    disagree = api.confirm(other, saved)
    assert (disagree.status, disagree.fields) == (400, {"payment_method_id"})
    assert stranger.confirm(stranger.payment(), saved).status == 404


def test_b18_a_method_unknown_at_the_provider_is_named_and_nothing_changes(api: Api) -> None:
    made = api.payment()
    reply = api.confirm(made, {"payment_method_id": "pm_nobody_knows"})
    assert (reply.status, reply.fields) == (400, {"payment_method_id"})
    assert api.get(f"/payments/{made['id']}").body["status"] == "created"
    assert api.confirm(made, VISA).body["status"] == "succeeded"


def test_b18_a_guest_pays_with_a_providers_token_alone(
    demo_data: StripeSimulator, guest: Api
) -> None:
    made = guest.payment(guest_data=GUEST)
    bearing = guest.bearing(x_guest_token=made["guest_token"])
    assert bearing.confirm(made, {"payment_method_id": "pm_saved_card_123"}).status == 404
    paid = bearing.bearing(idempotency_key=LONG_KEY).confirm(made, VISA)
    assert (paid.status, paid.body["status"]) == (200, "succeeded")


def test_b19_a_return_address_of_the_confirm_is_judged_and_used(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    made = api.payment()
    reply = api.confirm(made, VISA | {"return_url": "https://evil.test/", "cancel_url": "x"})
    assert reply.status == 400
    assert stripe_simulator.charges() == []
    back = "http://localhost:3000/here"
    api.confirm(made, VISA | {"return_url": back})
    assert stripe_simulator.requests[-1].form["return_url"] == back


@pytest.mark.parametrize("kind", ["drop_after", "500_after", "truncated_body", "html_502", "503"])
def test_b20_a_confirm_whose_answer_was_lost_is_202_and_nobody_sends_it_again(
    api: Api, stripe_simulator: StripeSimulator, kind: str
) -> None:
    made = api.payment()
    stripe_simulator.fault("confirm", kind)
    keyed = api.bearing(idempotency_key="k1")
    reply = keyed.confirm(made, VISA)
    assert (reply.status, reply.body["status"]) == (202, "processing")
    assert 1 <= int(reply.headers["retry-after"]) <= 95
    assert api.get(f"/payments/{made['id']}").body["status"] == "processing"
    assert api.get("/payments").body[0]["status"] == "processing"
    again = keyed.confirm(made, VISA)
    assert (again.status, again.replayed) == (202, False)
    assert api.confirm(made, VISA).status == 202  # the same request under no key
    other = api.confirm(made, {"payment_method_id": "pm_card_mastercard"})
    assert (other.status, other.code) == (409, "payment_in_progress")
    assert int(other.headers["retry-after"]) >= 1
    assert stripe_simulator.log.counts["confirm"] == 1


def test_b20_a_sync_finds_what_a_lost_confirm_did(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    made = api.payment()
    stripe_simulator.fault("confirm", "drop_after")
    keyed = api.bearing(idempotency_key="k1")
    assert keyed.confirm(made, VISA).status == 202
    assert api.sync(made).body["status"] == "succeeded"
    told = keyed.confirm(made, VISA)
    assert (told.status, told.replayed, told.body["status"]) == (200, True, "succeeded")


def test_b20_a_confirm_that_surely_was_not_sent_leaves_nothing_locked(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    made = api.payment()
    stripe_simulator.stop()
    try:
        reply = api.confirm(made, VISA)
    finally:
        stripe_simulator.start()
    assert (reply.status, reply.code) == (503, "provider_unavailable")
    assert api.get(f"/payments/{made['id']}").body["status"] == "created"
    assert api.confirm(made, VISA).body["status"] == "succeeded"


@pytest.mark.parametrize(
    ("role", "status"), [("owner", 200), ("admin", 200), ("billing", 200), ("member", 403)]
)
def test_b9_an_organizations_payment_is_confirmed_by_its_writing_roles(
    api: Api, signed_in: Callable[..., Api], role: str, status: int
) -> None:
    made = api.payment(organization_id="org_456")
    assert signed_in("user_1", org_456=role).confirm(made, VISA).status == status


def test_somebody_elses_payment_is_not_found(api: Api, stranger: Api, guest: Api) -> None:
    made = api.payment()
    for path in (made["id"], made["provider_payment_id"], "pay_404", "pi_404"):
        assert stranger.post(f"/payments/confirm/{path}", VISA).status == 404
        assert guest.post(f"/payments/confirm/{path}", VISA).status == 401
