"""POST /bridge-payment/payments/{id}/refund. Source: contracts/bridge.md, section 4."""

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


def paid(api: Api, **more: object) -> dict[str, object]:
    made = api.payment(**more)
    return dict(api.confirm(made, VISA).body)


def test_the_event_file_is_answered_with_the_refund(
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
def test_a_refund_without_an_amount_is_of_all_that_is_left(api: Api, name: str) -> None:
    payment = paid(api)
    path = f"/payments/{payment[name]}/refund"
    part = api.post(path, {"amount_cents": 500, "reason": "a scratch"})
    assert (part.status, part.body["amount_cents"], part.body["reason"]) == (201, 500, "a scratch")
    shown = api.get(f"/payments/{payment['id']}").body
    assert (shown["status"], shown["amount_refunded_cents"]) == ("partially_refunded", 500)
    rest = api.post(path)
    assert (rest.status, rest.body["amount_cents"], rest.body["reason"]) == (201, 1500, None)
    shown = api.get(f"/payments/{payment['id']}").body
    assert (shown["status"], shown["amount_refunded_cents"]) == ("refunded", 2000)


def test_what_is_too_much_or_not_paid_is_a_409(api: Api) -> None:
    payment, unpaid = paid(api), api.payment()
    much = api.post(f"/payments/{payment['id']}/refund", {"amount_cents": 2001})
    assert (much.status, much.code) == (409, "amount_exceeds_available")
    none = api.post(f"/payments/{unpaid['id']}/refund")
    assert (none.status, none.code) == (409, "payment_not_refundable")


@pytest.mark.parametrize("amount", [0, -1, 1.5, "500", True, 10**12])
def test_an_amount_that_is_none_is_refused_by_name(api: Api, amount: object) -> None:
    payment = paid(api)
    reply = api.post(f"/payments/{payment['id']}/refund", {"amount_cents": amount})
    assert (reply.status, reply.fields) == (400, {"amount_cents"})


def test_an_amount_that_stripe_cannot_hold_is_refused_by_name(api: Api) -> None:
    payment = paid(api, currency="KWD", total_cents=5000)
    reply = api.post(f"/payments/{payment['id']}/refund", {"amount_cents": 1001})
    assert (reply.status, reply.code) == (400, "amount_not_representable")
    assert reply.fields == {"amount_cents"}


def test_b17_a_key_is_one_refund(api: Api, stripe_simulator: StripeSimulator) -> None:
    payment = paid(api)
    keyed = api.bearing(idempotency_key="key-1")
    path = f"/payments/{payment['id']}/refund"
    first, again = (keyed.post(path, {"amount_cents": 500}) for _ in range(2))
    assert (again.status, again.body, again.replayed) == (201, first.body, True)
    other = keyed.post(path, {"amount_cents": 600})
    assert (other.status, other.code) == (409, "idempotency_key_reused")
    assert len(stripe_simulator.refunds()) == 1


def test_b20_a_refund_whose_answer_is_lost_is_a_202_that_is_pending(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    payment = paid(api)
    stripe_simulator.fault("refund", "drop_after")
    path = f"/payments/{payment['id']}/refund"
    lost = api.bearing(idempotency_key="key-1").post(path)
    assert (lost.status, lost.body["status"]) == (202, "pending")
    assert int(lost.headers["retry-after"]) > 0
    busy = api.post(path, {"amount_cents": 1})
    assert (busy.status, busy.code) == (409, "payment_in_progress")
    assert api.sync(payment).body["status"] == "refunded"
    told = api.bearing(idempotency_key="key-1").post(path)
    assert (told.status, told.body["id"], told.replayed) == (201, lost.body["id"], True)
    assert told.body["status"] == "succeeded"


@pytest.mark.parametrize("kind", ["429", "503"])
def test_a_refund_that_surely_was_not_made_is_no_refund(
    api: Api, stripe_simulator: StripeSimulator, kind: str
) -> None:
    payment = paid(api)
    stripe_simulator.fault("refund", kind)
    reply = api.post(f"/payments/{payment['id']}/refund")
    assert reply.status == (503 if kind == "429" else 202)
    assert stripe_simulator.refunds() == []


def test_b9_a_member_reads_and_refunds_nothing(
    signed_in: Callable[..., Api], api: Api, stranger: Api, stripe_simulator: StripeSimulator
) -> None:
    payment = paid(api, organization_id="org_456")
    member = signed_in("user_2", org_456="member")
    path = f"/payments/{payment['id']}/refund"
    assert (member.post(path).status, stranger.post(path).status) == (403, 404)
    assert signed_in("user_3", org_456="billing").post(path).status == 201


def test_b8_a_guest_refunds_nothing(guest: Api) -> None:
    made = guest.payment(guest_data={"email": "donor@example.com", "name": "John"})
    bearer = guest.bearing(x_guest_token=made["guest_token"])
    assert bearer.confirm(made, VISA).body["status"] == "succeeded"
    assert bearer.post(f"/payments/{made['id']}/refund").status == 401
    assert bearer.post(f"/payments/{made['id']}/capture").status == 401
