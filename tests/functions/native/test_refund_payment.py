"""POST /bridge-payment/payments/{id}/refund. Source: docs/api/native.md, section 4."""

from collections.abc import Callable

import pytest

from functions.native.refund_payment.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import TIME, VISA, Api, Reply

FIELDS = {
    "id",
    "payment_id",
    "provider_refund_id",
    "amount_cents",
    "currency",
    "status",
    "reason",
    "created_at",
    "updated_at",
}


def paid_payment(api: Api, **more: object) -> dict[str, object]:
    payment = api.payment(**more)
    return dict(api.confirm(payment, VISA).body)


def test_refund_with_event_file_returns_201_with_all_fields(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/refund_payment")
    assert reply.status == 201
    assert reply.body.keys() == FIELDS
    assert (reply.body["payment_id"], reply.body["amount_cents"]) == ("pay_123", 500)
    assert (reply.body["status"], reply.body["currency"]) == ("succeeded", "USD")
    assert reply.body["id"].startswith("ref_")
    assert reply.body["provider_refund_id"] == demo_data.refunds()[0]["id"]
    assert all(TIME.fullmatch(reply.body[name]) for name in ("created_at", "updated_at"))


@pytest.mark.parametrize("name", ["id", "provider_payment_id"])
def test_refund_without_amount_refunds_all_that_is_left(api: Api, name: str) -> None:
    payment = paid_payment(api)
    path = f"/payments/{payment[name]}/refund"
    part = api.post(path, {"amount_cents": 500, "reason": "a scratch"})
    assert (part.status, part.body["amount_cents"], part.body["reason"]) == (201, 500, "a scratch")
    body = api.get(f"/payments/{payment['id']}").body
    assert (body["status"], body["amount_refunded_cents"]) == ("partially_refunded", 500)
    rest = api.post(path)
    assert (rest.status, rest.body["amount_cents"], rest.body["reason"]) == (201, 1500, None)
    body = api.get(f"/payments/{payment['id']}").body
    assert (body["status"], body["amount_refunded_cents"]) == ("refunded", 2000)


def test_refund_of_too_much_or_of_unpaid_payment_returns_409(api: Api) -> None:
    payment, unpaid = paid_payment(api), api.payment()
    too_much = api.post(f"/payments/{payment['id']}/refund", {"amount_cents": 2001})
    assert (too_much.status, too_much.code) == (409, "amount_exceeds_available")
    not_paid = api.post(f"/payments/{unpaid['id']}/refund")
    assert (not_paid.status, not_paid.code) == (409, "payment_not_refundable")


@pytest.mark.parametrize("amount", [0, -1, 1.5, "500", True, 10**12])
def test_refund_with_invalid_amount_returns_400_on_field(api: Api, amount: object) -> None:
    payment = paid_payment(api)
    reply = api.post(f"/payments/{payment['id']}/refund", {"amount_cents": amount})
    assert (reply.status, reply.fields) == (400, {"amount_cents"})


def test_refund_amount_not_representable_returns_400_on_field(api: Api) -> None:
    payment = paid_payment(api, currency="KWD", total_cents=5000)
    reply = api.post(f"/payments/{payment['id']}/refund", {"amount_cents": 1001})
    assert (reply.status, reply.code) == (400, "amount_not_representable")
    assert reply.fields == {"amount_cents"}


def test_b17_refund_with_same_key_is_replayed_and_sent_once(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    payment = paid_payment(api)
    keyed = api.with_headers(idempotency_key="key-1")
    path = f"/payments/{payment['id']}/refund"
    first, again = (keyed.post(path, {"amount_cents": 500}) for _ in range(2))
    assert (again.status, again.body, again.replayed) == (201, first.body, True)
    other = keyed.post(path, {"amount_cents": 600})
    assert (other.status, other.code) == (409, "idempotency_key_reused")
    assert len(stripe_simulator.refunds()) == 1


def test_b20_refund_with_lost_response_returns_202_pending(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    payment = paid_payment(api)
    stripe_simulator.fault("refund", "drop_after")
    path = f"/payments/{payment['id']}/refund"
    lost = api.with_headers(idempotency_key="key-1").post(path)
    assert (lost.status, lost.body["status"]) == (202, "pending")
    assert int(lost.headers["retry-after"]) > 0
    busy = api.post(path, {"amount_cents": 1})
    assert (busy.status, busy.code) == (409, "payment_in_progress")
    assert api.sync(payment).body["status"] == "refunded"
    replay = api.with_headers(idempotency_key="key-1").post(path)
    assert (replay.status, replay.body["id"], replay.replayed) == (201, lost.body["id"], True)
    assert replay.body["status"] == "succeeded"


@pytest.mark.parametrize("kind", ["429", "503"])
def test_refund_that_did_not_happen_returns_503_or_202_without_refund(
    api: Api, stripe_simulator: StripeSimulator, kind: str
) -> None:
    payment = paid_payment(api)
    stripe_simulator.fault("refund", kind)
    reply = api.post(f"/payments/{payment['id']}/refund")
    assert reply.status == (503 if kind == "429" else 202)
    assert stripe_simulator.refunds() == []


def test_b9_refund_needs_writing_role_and_returns_404_to_other_user(
    signed_in: Callable[..., Api], api: Api, stranger: Api, stripe_simulator: StripeSimulator
) -> None:
    payment = paid_payment(api, organization_id="org_456")
    member = signed_in("user_2", org_456="member")
    path = f"/payments/{payment['id']}/refund"
    assert (member.post(path).status, stranger.post(path).status) == (403, 404)
    assert signed_in("user_3", org_456="billing").post(path).status == 201


def test_b8_refund_and_capture_with_guest_token_return_401(guest: Api) -> None:
    payment = guest.payment(guest_data={"email": "donor@example.com", "name": "John"})
    with_token = guest.with_headers(x_guest_token=payment["guest_token"])
    assert with_token.confirm(payment, VISA).body["status"] == "succeeded"
    assert with_token.post(f"/payments/{payment['id']}/refund").status == 401
    assert with_token.post(f"/payments/{payment['id']}/capture").status == 401
