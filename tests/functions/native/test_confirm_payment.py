"""POST /bridge-payment/payments/confirm/{id}. Source: docs/api/native.md, section 4."""

from collections.abc import Callable

import pytest

from functions.native.confirm_payment.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import (
    GUEST,
    LONG_KEY,
    TIME,
    VISA,
    Api,
    Dashboard,
    Reply,
)
from tests.response_fields import (
    PAYMENT_FIELDS,
)

Setting = Callable[[str, str], None]
Later = Callable[[float], None]
SECURE = {"payment_method_id": "pm_card_threeDSecure2Required"}
LOST = {"payment_method_id": "pm_card_visa_chargeDeclinedLostCard"}


def test_confirm_with_event_file_returns_documented_payment(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/confirm_payment")
    assert reply.status == 200
    assert reply.body.keys() == PAYMENT_FIELDS
    values = [reply.body[name] for name in ("id", "status", "provider_payment_id")]
    assert values == ["pay_123", "succeeded", "pi_stripe_abc123"]
    assert TIME.fullmatch(reply.body["completed_at"])
    assert len(demo_data.charges()) == 2  # the other is the authorization of pay_456


def test_confirm_charges_once_and_returns_succeeded(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    payment = api.payment()
    reply = api.confirm(payment, VISA)
    assert (reply.status, reply.body["status"]) == (200, "succeeded")
    assert reply.body["amount_captured_cents"] == 2000
    assert reply.body["amount_refunded_cents"] == 0
    assert reply.body["payment_method_id"] == "pm_card_visa"
    assert reply.body["completed_at"]
    (charge,) = stripe_simulator.charges()
    assert charge["amount"] == 2000
    sent = stripe_simulator.requests[-1]
    assert sent.headers["Idempotency-Key"] == payment["id"].removeprefix("pay_") + ".2"
    assert sent.form["payment_method"] == "pm_card_visa"
    assert sent.form.keys().isdisjoint({"off_session", "confirm", "metadata"})


@pytest.mark.parametrize("path", ["/payments/confirm/{id}", "/payments/intents/{id}/confirm"])
@pytest.mark.parametrize("name", ["id", "provider_payment_id"])
def test_confirm_accepts_either_id_on_both_paths(api: Api, path: str, name: str) -> None:
    payment = api.payment()
    reply = api.post(path.replace("{id}", payment[name]), VISA)
    assert (reply.status, reply.body["status"]) == (200, "succeeded")
    assert reply.body["id"] == payment["id"]


def test_b3_confirm_with_empty_body_uses_stored_method(api: Api) -> None:
    payment = api.payment(**VISA)
    assert api.confirm(payment).body["status"] == "succeeded"


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"payment_method_id": 5}', b"null"])
def test_b3_confirm_with_invalid_body_returns_400_and_changes_nothing(
    api: Api, body: bytes
) -> None:
    payment = api.payment(**VISA)
    reply = api.post(f"/payments/confirm/{payment['id']}", body)
    assert reply.status == 400
    assert api.get(f"/payments/{payment['id']}").body["status"] == "created"


def test_confirm_without_method_returns_400_until_browser_attaches_one(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    payment = api.payment()
    reply = api.confirm(payment)
    assert (reply.status, reply.code) == (400, "payment_method_required")
    assert reply.fields == {"payment_method_id"}
    intent, secret = payment["provider_payment_id"], payment["client_secret"]
    stripe_simulator.browser_attach(intent, secret, "pm_card_visa")
    assert api.confirm(payment).body["status"] == "succeeded"


def test_confirm_with_declined_card_returns_402_and_can_be_repeated(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    payment = api.payment()
    reply = api.confirm(payment, LOST)
    assert (reply.status, reply.code) == (402, "payment_declined")
    assert reply.body["decline_code"] == "lost_card"
    assert reply.body["payment_id"] == payment["id"]
    failed = api.get(f"/payments/{payment['id']}").body
    assert (failed["status"], failed["failure_code"]) == ("failed", "card_declined")
    assert failed["client_secret"] == payment["client_secret"]
    paid = api.confirm(payment, VISA).body
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
def test_confirm_with_declined_card_returns_decline_code(
    api: Api, method: str, reason: str
) -> None:
    reply = api.confirm(api.payment(), {"payment_method_id": method})
    assert (reply.status, reply.body["decline_code"]) == (402, reason)
    assert reply.body["error"]


@pytest.mark.parametrize("status", ["processing", "requires_capture"])
def test_b13_confirm_of_confirmed_payment_returns_200_without_provider_call(
    api: Api, stripe_simulator: StripeSimulator, dashboard: Dashboard, status: str
) -> None:
    payment = api.payment()
    dashboard.turn(payment, status)  # type: ignore[arg-type]
    assert api.sync(payment).body["status"] == status
    calls = len(stripe_simulator.requests)
    reply = api.confirm(payment, VISA)
    assert (reply.status, reply.body["status"]) == (200, status)
    assert len(stripe_simulator.requests) == calls


def test_b13_confirm_with_manual_capture_only_authorizes(api: Api) -> None:
    reply = api.confirm(api.payment(capture_method="manual"), VISA)
    assert (reply.status, reply.body["status"]) == (200, "requires_capture")
    assert reply.body["amount_captured_cents"] == 0
    assert reply.body["completed_at"] is None


def test_b13_confirm_returns_200_after_partial_refund_or_dispute_and_409_after_full_refund(
    api: Api, stripe_simulator: StripeSimulator, dashboard: Dashboard
) -> None:
    payment = api.payment()
    api.confirm(payment, VISA)
    dashboard.refund(payment, 500)
    partly = api.sync(payment).body
    assert (partly["status"], partly["amount_refunded_cents"]) == ("partially_refunded", 500)
    assert api.confirm(payment, VISA).body["status"] == "partially_refunded"
    dashboard.dispute(payment)
    assert api.sync(payment).body["status"] == "disputed"
    assert api.confirm(payment, VISA).status == 200
    other = api.payment()
    api.confirm(other, VISA)
    dashboard.refund(other, 2000)
    assert api.sync(other).body["status"] == "refunded"
    reply = api.confirm(other, VISA)
    assert (reply.status, reply.code) == (409, "payment_not_confirmable")
    assert len(stripe_simulator.charges()) == 2


def test_b13_confirm_of_canceled_payment_returns_409(
    api: Api, stripe_simulator: StripeSimulator, dashboard: Dashboard
) -> None:
    payment = api.payment()
    dashboard.turn(payment, "canceled")
    refused = api.confirm(payment, VISA)  # our row is out of date; the provider refuses
    assert (refused.status, refused.code) == (409, "payment_not_confirmable")
    assert api.sync(payment).body["status"] == "canceled"
    reply = api.confirm(payment, VISA)
    assert (reply.status, reply.code) == (409, "payment_not_confirmable")
    assert stripe_simulator.charges() == []


def test_b16_next_action_is_redirect_or_use_client_secret(
    api: Api, setting: Setting, stripe_simulator: StripeSimulator
) -> None:
    payment = api.payment(return_url="http://localhost:3000/back")
    waiting = api.confirm(payment, SECURE)
    assert (waiting.status, waiting.body["status"]) == (200, "requires_action")
    action = waiting.body["next_action"]
    assert action.keys() == {"type", "url"}
    assert action["type"] == "redirect"
    assert action["url"].startswith(stripe_simulator.url)
    setting("RETURN_URL", "")
    without_url = api.confirm(api.payment(), SECURE).body
    assert without_url["status"] == "requires_action"
    assert without_url["next_action"] == {"type": "use_client_secret"}
    stripe_simulator.authenticate(payment["provider_payment_id"], success=True)
    paid = api.sync(payment).body
    assert (paid["status"], paid["next_action"]) == ("succeeded", None)


def test_b16_next_action_is_null_if_payer_need_not_act(api: Api) -> None:
    payment = api.payment()
    assert payment["next_action"] is None
    assert api.confirm(payment, VISA).body["next_action"] is None


def test_confirm_of_payment_in_requires_action_accepts_another_method(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    payment = api.payment()
    assert api.confirm(payment, SECURE).body["status"] == "requires_action"
    assert api.confirm(payment, VISA).body["status"] == "succeeded"
    assert len(stripe_simulator.charges()) == 1


def test_b17_confirm_with_same_key_is_replayed_and_charges_once(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    payment = api.payment()
    keyed = api.with_headers(idempotency_key="k1")
    first, again = keyed.confirm(payment, VISA), keyed.confirm(payment, VISA)
    assert (first.status, first.replayed) == (200, False)
    assert (again.status, again.replayed) == (200, True)
    assert again.body == first.body
    assert len(stripe_simulator.charges()) == 1


def test_b17_replay_returns_stored_response_with_current_client_secret(
    api: Api, stripe_simulator: StripeSimulator, later: Later
) -> None:
    payment = api.payment()
    keyed = api.with_headers(idempotency_key="k1")
    waiting = keyed.confirm(payment, SECURE).body
    assert waiting["client_secret"] == payment["client_secret"]
    again = keyed.confirm(payment, SECURE)
    assert (again.replayed, again.body) == (True, waiting)
    stripe_simulator.authenticate(payment["provider_payment_id"], success=True)
    assert api.sync(payment).body["status"] == "succeeded"
    replay = keyed.confirm(payment, SECURE)
    assert (replay.replayed, replay.body) == (True, waiting | {"client_secret": None})
    later(25 * 3600)
    assert keyed.confirm(payment, SECURE).body["status"] == "succeeded"


def test_b17_declined_confirm_is_replayed(api: Api, stripe_simulator: StripeSimulator) -> None:
    payment = api.payment()
    keyed = api.with_headers(idempotency_key="k1")
    first, again = keyed.confirm(payment, LOST), keyed.confirm(payment, LOST)
    assert (first.status, first.replayed) == (402, False)
    assert (again.status, again.replayed) == (402, True)
    assert {**again.body, "request_id": ""} == {**first.body, "request_id": ""}
    assert len(stripe_simulator.declines()) == 1


def test_b17_same_key_with_other_body_returns_409(api: Api) -> None:
    payment = api.payment()
    keyed = api.with_headers(idempotency_key="k1")
    keyed.confirm(payment, LOST)
    reply = keyed.confirm(payment, VISA)
    assert (reply.status, reply.code) == (409, "idempotency_key_reused")


def test_b17_same_key_on_other_payment_is_another_request(
    api: Api, stranger: Api, stripe_simulator: StripeSimulator
) -> None:
    first, second = api.payment(), api.payment()
    keyed = api.with_headers(idempotency_key="k1")
    assert not keyed.confirm(first, VISA).replayed
    assert not keyed.confirm(second, VISA).replayed
    assert len(stripe_simulator.charges()) == 2
    assert stranger.with_headers(idempotency_key="k1").confirm(first, VISA).status == 404


def test_b17_key_is_free_again_after_refused_confirm(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    payment = api.payment()
    keyed = api.with_headers(idempotency_key="k1")
    assert keyed.confirm(payment).status == 400
    unknown = {"payment_method_id": "pm_nobody_knows"}
    assert keyed.confirm(payment, unknown).status == 400
    stripe_simulator.fault("confirm", "429")
    assert keyed.confirm(payment, VISA).status == 503
    stripe_simulator.fault("confirm", "401", times=2)
    assert keyed.confirm(payment, VISA).status == 502
    reply = keyed.confirm(payment, VISA)
    assert (reply.status, reply.replayed) == (200, False)
    assert len(stripe_simulator.charges()) == 1


def test_b17_repeated_confirm_without_key_charges_once(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    payment = api.payment()
    for _ in range(3):
        assert api.confirm(payment, VISA).body["status"] == "succeeded"
    assert len(stripe_simulator.charges()) == 1


def test_b18_saved_method_pays_only_payments_of_its_customer(
    demo_data: StripeSimulator, api: Api, stranger: Api
) -> None:
    saved = {"payment_method_id": "pm_saved_card_123"}
    mine, other = api.payment(customer_id="cust_456"), api.payment(customer_id="cust_123")
    paid = api.confirm(mine, saved).body
    assert (paid["status"], paid["payment_method_id"]) == ("succeeded", "pm_saved_card_123")
    mismatch = api.confirm(other, saved)
    assert (mismatch.status, mismatch.fields) == (400, {"payment_method_id"})
    assert stranger.confirm(stranger.payment(), saved).status == 404


def test_b18_confirm_with_unknown_method_returns_400_and_changes_nothing(api: Api) -> None:
    payment = api.payment()
    reply = api.confirm(payment, {"payment_method_id": "pm_nobody_knows"})
    assert (reply.status, reply.fields) == (400, {"payment_method_id"})
    assert api.get(f"/payments/{payment['id']}").body["status"] == "created"
    assert api.confirm(payment, VISA).body["status"] == "succeeded"


def test_b18_guest_pays_only_with_provider_token(demo_data: StripeSimulator, guest: Api) -> None:
    payment = guest.payment(guest_data=GUEST)
    with_token = guest.with_headers(x_guest_token=payment["guest_token"])
    assert with_token.confirm(payment, {"payment_method_id": "pm_saved_card_123"}).status == 404
    paid = with_token.with_headers(idempotency_key=LONG_KEY).confirm(payment, VISA)
    assert (paid.status, paid.body["status"]) == (200, "succeeded")


def test_b19_return_url_of_confirm_is_checked_and_sent(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    payment = api.payment()
    reply = api.confirm(payment, VISA | {"return_url": "https://evil.test/", "cancel_url": "x"})
    assert reply.status == 400
    assert stripe_simulator.charges() == []
    back = "http://localhost:3000/here"
    api.confirm(payment, VISA | {"return_url": back})
    assert stripe_simulator.requests[-1].form["return_url"] == back


@pytest.mark.parametrize("kind", ["drop_after", "500_after", "truncated_body", "html_502", "503"])
def test_b20_confirm_with_lost_response_returns_202_and_is_not_sent_again(
    api: Api, stripe_simulator: StripeSimulator, kind: str
) -> None:
    payment = api.payment()
    stripe_simulator.fault("confirm", kind)
    keyed = api.with_headers(idempotency_key="k1")
    reply = keyed.confirm(payment, VISA)
    assert (reply.status, reply.body["status"]) == (202, "processing")
    assert 1 <= int(reply.headers["retry-after"]) <= 95
    assert api.get(f"/payments/{payment['id']}").body["status"] == "processing"
    assert api.get("/payments").body[0]["status"] == "processing"
    again = keyed.confirm(payment, VISA)
    assert (again.status, again.replayed) == (202, False)
    assert api.confirm(payment, VISA).status == 202  # the same request without a key
    other = api.confirm(payment, {"payment_method_id": "pm_card_mastercard"})
    assert (other.status, other.code) == (409, "payment_in_progress")
    assert int(other.headers["retry-after"]) >= 1
    assert stripe_simulator.log.counts["confirm"] == 1


def test_b20_sync_finds_result_of_confirm_with_lost_response(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    payment = api.payment()
    stripe_simulator.fault("confirm", "drop_after")
    keyed = api.with_headers(idempotency_key="k1")
    assert keyed.confirm(payment, VISA).status == 202
    assert api.sync(payment).body["status"] == "succeeded"
    replay = keyed.confirm(payment, VISA)
    assert (replay.status, replay.replayed, replay.body["status"]) == (200, True, "succeeded")


def test_b20_confirm_that_was_not_sent_returns_503_and_leaves_no_lock(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    payment = api.payment()
    stripe_simulator.stop()
    try:
        reply = api.confirm(payment, VISA)
    finally:
        stripe_simulator.start()
    assert (reply.status, reply.code) == (503, "provider_unavailable")
    assert api.get(f"/payments/{payment['id']}").body["status"] == "created"
    assert api.confirm(payment, VISA).body["status"] == "succeeded"


@pytest.mark.parametrize(
    ("role", "status"), [("owner", 200), ("admin", 200), ("billing", 200), ("member", 403)]
)
def test_b9_confirm_in_organization_needs_writing_role(
    api: Api, signed_in: Callable[..., Api], role: str, status: int
) -> None:
    payment = api.payment(organization_id="org_456")
    assert signed_in("user_1", org_456=role).confirm(payment, VISA).status == status


def test_confirm_of_others_payment_returns_404_or_401_without_credential(
    api: Api, stranger: Api, guest: Api
) -> None:
    payment = api.payment()
    for path in (payment["id"], payment["provider_payment_id"], "pay_404", "pi_404"):
        assert stranger.post(f"/payments/confirm/{path}", VISA).status == 404
        assert guest.post(f"/payments/confirm/{path}", VISA).status == 401
