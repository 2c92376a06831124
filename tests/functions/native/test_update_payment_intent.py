"""PUT and PATCH /bridge-payment/payments/intents/{id}. Source: docs/api/native.md, section 4."""

from collections.abc import Callable
from typing import Any

import pytest

from functions.native.update_payment_intent.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import (
    BASE,
    GUEST,
    VISA,
    Api,
    Dashboard,
    Reply,
)
from tests.response_fields import (
    PAYMENT_FIELDS,
)

AMOUNTS = ("subtotal_cents", "tax_cents", "discount_cents", "total_cents")
OWN_FIELDS: dict[str, Any] = {
    "description": "another",
    "concept": "Other",
    "category": "books",
    "tags": "a,b",
    "reference_code": "R-2",
    "metadata": {"order": 8},
}


def put(api: Api, payment: dict[str, Any], change: dict[str, Any]) -> Reply:
    return api.put(f"/payments/intents/{payment['id']}", change)


def test_update_payment_with_event_file_returns_changed_payment(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    before = len(demo_data.requests)
    reply = invoke(handler, "native/update_payment_intent")
    assert reply.status == 200
    assert reply.body.keys() == PAYMENT_FIELDS
    assert reply.body["description"] == "Monthly premium plan, January"
    assert reply.body["metadata"] == {"order": "2026-0001"}
    assert reply.body["status"] == "succeeded"
    assert len(demo_data.requests) == before


def test_update_payment_accepts_patch_and_provider_id(api: Api) -> None:
    payment = api.payment()
    path = f"{BASE}/payments/intents/{payment['provider_payment_id']}"
    reply = api.send("PATCH", path, {"concept": "Other"})
    assert (reply.status, reply.body["concept"]) == (200, "Other")


@pytest.mark.parametrize(
    "status", ["created", "processing", "requires_capture", "succeeded", "canceled"]
)
def test_update_of_own_fields_in_any_status_returns_200_without_provider_call(
    api: Api, stripe_simulator: StripeSimulator, dashboard: Dashboard, status: str
) -> None:
    payment = api.payment(metadata={"gone": 1})
    if status != "created":
        dashboard.turn(payment, status)  # type: ignore[arg-type]
        payment = api.sync(payment).body
    calls = len(stripe_simulator.requests)
    reply = put(api, payment, OWN_FIELDS)
    assert reply.status == 200
    assert reply.body | {"updated_at": ""} == payment | OWN_FIELDS | {"updated_at": ""}
    assert len(stripe_simulator.requests) == calls
    assert api.get(f"/payments/{payment['id']}").body == reply.body


def test_update_of_own_fields_during_active_attempt_is_kept(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    payment = api.payment()
    stripe_simulator.fault("confirm", "drop_after")
    assert api.confirm(payment, VISA).status == 202
    assert put(api, payment, OWN_FIELDS).status == 200
    body = api.sync(payment).body
    assert body["status"] == "succeeded"
    assert OWN_FIELDS.items() <= body.items()


@pytest.mark.parametrize(
    ("change", "sums"),
    [
        ({"total_cents": 3000}, (2750, 300, 50, 3000)),
        ({"subtotal_cents": 2000}, (2000, 300, 50, 2250)),
        ({"tax_cents": 0}, (1000, 0, 50, 950)),
        ({"discount_cents": 0}, (1000, 300, 0, 1300)),
        ({"tax_cents": 500, "total_cents": 3000}, (2550, 500, 50, 3000)),
        ({"subtotal_cents": 900, "total_cents": 1150}, (900, 300, 50, 1150)),
        (
            {"subtotal_cents": 700, "tax_cents": 70, "discount_cents": 7, "total_cents": 763},
            (700, 70, 7, 763),
        ),
    ],
)
def test_b14_missing_amounts_keep_their_value_or_are_computed(
    api: Api, stripe_simulator: StripeSimulator, change: dict[str, int], sums: tuple[int, ...]
) -> None:
    before = {"subtotal_cents": 1000, "tax_cents": 300, "discount_cents": 50}
    payment = api.payment(total_cents=None, **before)
    reply = put(api, payment, change)
    assert reply.status == 200
    assert tuple(reply.body[name] for name in AMOUNTS) == sums
    sent = stripe_simulator.requests[-1]
    assert (sent.operation, sent.form["amount"]) == ("update_payment", str(sums[3]))
    assert sent.headers["Idempotency-Key"] == payment["id"].removeprefix("pay_") + ".2"
    assert api.confirm(payment, VISA).body["amount_captured_cents"] == sums[3]


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"subtotal_cents": 900, "total_cents": 1000}, "amount_mismatch", "total_cents"),
        ({"total_cents": 200}, "validation_failed", "total_cents"),  # less than the tax
        ({"discount_cents": 1301}, "validation_failed", "discount_cents"),
        ({"discount_cents": 1300}, "validation_failed", "total_cents"),
        ({"total_cents": 0}, "validation_failed", "total_cents"),
        ({"total_cents": 10.5}, "validation_failed", "total_cents"),
    ],
)
def test_b14_update_with_impossible_amounts_returns_400_and_changes_nothing(
    api: Api, stripe_simulator: StripeSimulator, change: dict[str, Any], code: str, field: str
) -> None:
    payment = api.payment(total_cents=None, subtotal_cents=1000, tax_cents=300)
    calls = len(stripe_simulator.requests)
    reply = put(api, payment, change)
    assert (reply.status, reply.code, reply.fields) == (400, code, {field})
    assert len(stripe_simulator.requests) == calls
    assert api.get(f"/payments/{payment['id']}").body == payment


def test_b14_update_of_currency_converts_amount_for_provider(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    payment = api.payment()
    reply = put(api, payment, {"currency": "isk"})
    assert (reply.body["currency"], reply.body["total_cents"]) == ("ISK", 2000)
    intent = stripe_simulator.intents()[0]
    assert (intent["currency"], intent["amount"]) == ("isk", 200_000)
    refused = put(api, payment, {"currency": "KWD", "total_cents": 1001})
    assert (refused.status, refused.code) == (400, "amount_not_representable")


def test_update_refused_by_provider_returns_400_on_field_and_changes_nothing(api: Api) -> None:
    payment = api.payment()
    reply = put(api, payment, {"total_cents": 3, "concept": "Other"})
    assert (reply.status, reply.fields) == (400, {"total_cents"})
    body = api.get(f"/payments/{payment['id']}").body
    assert body | {"updated_at": ""} == payment | {"updated_at": ""}


@pytest.mark.parametrize("status", ["processing", "requires_capture", "succeeded", "canceled"])
def test_update_of_amount_after_charge_returns_409_and_changes_nothing(
    api: Api, stripe_simulator: StripeSimulator, dashboard: Dashboard, status: str
) -> None:
    payment = api.payment()
    dashboard.turn(payment, status)  # type: ignore[arg-type]
    refused_there = put(api, payment, {"total_cents": 3000})
    api.sync(payment)
    refused_here = put(api, payment, {"total_cents": 3000, "concept": "Other"})
    for reply in (refused_there, refused_here):
        assert (reply.status, reply.code) == (409, "payment_not_updatable")
    body = api.get(f"/payments/{payment['id']}").body
    assert (body["total_cents"], body["concept"]) == (2000, None)


def test_update_of_amount_in_failed_or_requires_action_returns_200(api: Api) -> None:
    payment = api.payment()
    assert api.confirm(payment, {"payment_method_id": "pm_card_visa_chargeDeclined"}).status == 402
    assert put(api, payment, {"total_cents": 3000}).body["total_cents"] == 3000
    secure = {"payment_method_id": "pm_card_threeDSecure2Required"}
    assert api.confirm(payment, secure).body["status"] == "requires_action"
    reply = put(api, payment, {"total_cents": 4000})
    assert (reply.status, reply.body["total_cents"]) == (200, 4000)
    assert reply.body["client_secret"] == payment["client_secret"]
    assert api.confirm(payment, VISA).body["amount_captured_cents"] == 4000


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("provider_id", "paypal"),
        ("guest_data", GUEST),
        ("id", "pay_other"),
        ("organization_id", "org_789"),
        ("customer_id", "cust_other"),
        ("capture_method", "manual"),
    ],
)
def test_update_with_other_immutable_field_returns_400(api: Api, field: str, value: object) -> None:
    payment = api.payment(organization_id="org_456")
    reply = put(api, payment, {field: value, "concept": "Other"})
    assert (reply.status, reply.code, reply.fields) == (400, "immutable_field", {field})
    assert api.get(f"/payments/{payment['id']}").body == payment


def test_update_with_same_immutable_fields_returns_200(api: Api) -> None:
    payment = api.payment(organization_id="org_456")
    names = ("id", "provider_id", "organization_id", "customer_id", "capture_method")
    reply = put(api, payment, {name: payment[name] for name in names} | {"concept": "Other"})
    assert (reply.status, reply.body["concept"]) == (200, "Other")


def test_b18_update_with_method_stores_it_without_charge(
    demo_data: StripeSimulator, api: Api, stranger: Api
) -> None:
    payment = api.payment(customer_id="cust_456")
    before = len(demo_data.charges())
    saved = {"payment_method_id": "pm_saved_card_123"}
    reply = put(api, payment, saved)
    assert (reply.status, reply.body["payment_method_id"]) == (200, "pm_saved_card_123")
    assert len(demo_data.charges()) == before
    assert api.confirm(payment).body["status"] == "succeeded"
    assert put(stranger, stranger.payment(), saved).status == 404
    mismatch = put(api, api.payment(customer_id="cust_123"), saved)
    assert (mismatch.status, mismatch.fields) == (400, {"payment_method_id"})
    unknown = put(api, api.payment(), {"payment_method_id": "pm_nobody_knows"})
    assert (unknown.status, unknown.fields) == (400, {"payment_method_id"})


def test_update_sends_setup_future_usage_to_provider(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    reply = put(api, api.payment(), {"setup_future_usage": "off_session"})
    assert reply.body["setup_future_usage"] == "off_session"
    assert stripe_simulator.intents()[0]["setup_future_usage"] == "off_session"


def test_b19_return_url_of_update_is_checked_and_sent_with_confirm(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    payment = api.payment()
    reply = put(api, payment, {"return_url": "https://evil.test/"})
    assert (reply.status, reply.fields) == (400, {"return_url"})
    back = "http://localhost:3000/here"
    assert put(api, payment, {"return_url": back}).status == 200
    api.confirm(payment, VISA)
    assert stripe_simulator.requests[-1].form["return_url"] == back


@pytest.mark.parametrize("kind", ["drop_after", "drop_before"])
def test_b20_update_with_lost_response_returns_202_with_stored_values(
    api: Api, stripe_simulator: StripeSimulator, kind: str
) -> None:
    payment = api.payment()
    stripe_simulator.fault("update_payment", kind, times=2)
    reply = put(api, payment, {"total_cents": 3000})
    assert (reply.status, reply.body["status"]) == (202, "created")
    assert reply.body["total_cents"] == 2000
    assert int(reply.headers["retry-after"]) >= 1
    again = put(api, payment, {"total_cents": 3000})
    assert again.status == 202  # the same request
    other = put(api, payment, {"total_cents": 4000})
    assert (other.status, other.code) == (409, "payment_in_progress")
    body = api.sync(payment).body
    assert body["total_cents"] == (3000 if kind == "drop_after" else 2000)


def test_b4_update_reports_all_invalid_fields(api: Api) -> None:
    wrong = {"description": 5, "concept": "x" * 201, "metadata": {"a": {}}, "currency": "XXQ"}
    reply = put(api, api.payment(), wrong)
    assert (reply.status, reply.fields) == (
        400,
        {"description", "concept", "metadata.a", "currency"},
    )


@pytest.mark.parametrize(
    ("role", "status"), [("owner", 200), ("admin", 200), ("billing", 200), ("member", 403)]
)
@pytest.mark.parametrize("change", [{"concept": "Other"}, {"total_cents": 3000}])
def test_b9_update_payment_in_organization_needs_writing_role(
    api: Api, signed_in: Callable[..., Api], role: str, status: int, change: dict[str, Any]
) -> None:
    payment = api.payment(organization_id="org_456")
    assert put(signed_in("user_1", org_456=role), payment, change).status == status


def test_update_of_others_payment_returns_404_or_401(api: Api, stranger: Api, guest: Api) -> None:
    payment = api.payment()
    theirs = guest.payment(guest_data=GUEST)
    assert put(stranger, payment, {"concept": "x"}).status == 404
    assert put(guest, payment, {"concept": "x"}).status == 401
    with_token = guest.with_headers(x_guest_token=theirs["guest_token"])
    assert put(with_token, theirs, {"concept": "x"}).status == 401
