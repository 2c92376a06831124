"""PUT and PATCH /bridge-payment/payments/intents/{id}. Source: contracts/bridge.md, section 4."""

from collections.abc import Callable
from typing import Any

import pytest

from functions.native.update_payment_intent.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import BASE, GUEST, PAYMENT_FIELDS, VISA, Api, Dashboard, Reply

AMOUNTS = ("subtotal_cents", "tax_cents", "discount_cents", "total_cents")
OWN: dict[str, Any] = {
    "description": "another",
    "concept": "Other",
    "category": "books",
    "tags": "a,b",
    "reference_code": "R-2",
    "metadata": {"order": 8},
}


def put(api: Api, payment: dict[str, Any], change: dict[str, Any]) -> Reply:
    return api.put(f"/payments/intents/{payment['id']}", change)


def test_the_event_file_is_answered_with_the_changed_payment(
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


def test_patch_is_the_same_and_the_providers_id_too(api: Api) -> None:
    made = api.payment()
    path = f"{BASE}/payments/intents/{made['provider_payment_id']}"
    reply = api.send("PATCH", path, {"concept": "Other"})
    assert (reply.status, reply.body["concept"]) == (200, "Other")


@pytest.mark.parametrize(
    "status", ["created", "processing", "requires_capture", "succeeded", "canceled"]
)
def test_our_own_fields_change_in_any_state_without_a_call(
    api: Api, stripe_simulator: StripeSimulator, dashboard: Dashboard, status: str
) -> None:
    made = api.payment(metadata={"gone": 1})
    if status != "created":
        dashboard.turn(made, status)  # type: ignore[arg-type]
        made = api.sync(made).body
    calls = len(stripe_simulator.requests)
    reply = put(api, made, OWN)
    assert reply.status == 200
    assert reply.body | {"updated_at": ""} == made | OWN | {"updated_at": ""}
    assert len(stripe_simulator.requests) == calls
    assert api.get(f"/payments/{made['id']}").body == reply.body


def test_our_own_fields_change_under_a_lock_and_survive_it(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    made = api.payment()
    stripe_simulator.fault("confirm", "drop_after")
    assert api.confirm(made, VISA).status == 202
    assert put(api, made, OWN).status == 200
    shown = api.sync(made).body
    assert shown["status"] == "succeeded"
    assert OWN.items() <= shown.items()


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
def test_b14_amounts_not_named_keep_or_follow(
    api: Api, stripe_simulator: StripeSimulator, change: dict[str, int], sums: tuple[int, ...]
) -> None:
    before = {"subtotal_cents": 1000, "tax_cents": 300, "discount_cents": 50}
    made = api.payment(total_cents=None, **before)
    reply = put(api, made, change)
    assert reply.status == 200
    assert tuple(reply.body[name] for name in AMOUNTS) == sums
    sent = stripe_simulator.requests[-1]
    assert (sent.operation, sent.form["amount"]) == ("update_payment", str(sums[3]))
    assert sent.headers["Idempotency-Key"] == made["id"].removeprefix("pay_") + ".2"
    assert api.confirm(made, VISA).body["amount_captured_cents"] == sums[3]


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
def test_b14_amounts_are_checked_again_as_a_whole(
    api: Api, stripe_simulator: StripeSimulator, change: dict[str, Any], code: str, field: str
) -> None:
    made = api.payment(total_cents=None, subtotal_cents=1000, tax_cents=300)
    calls = len(stripe_simulator.requests)
    reply = put(api, made, change)
    assert (reply.status, reply.code, reply.fields) == (400, code, {field})
    assert len(stripe_simulator.requests) == calls
    assert api.get(f"/payments/{made['id']}").body == made


def test_b14_a_currency_is_changed_with_its_own_units(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    made = api.payment()
    reply = put(api, made, {"currency": "isk"})
    assert (reply.body["currency"], reply.body["total_cents"]) == ("ISK", 2000)
    intent = stripe_simulator.intents()[0]
    assert (intent["currency"], intent["amount"]) == ("isk", 200_000)
    refused = put(api, made, {"currency": "KWD", "total_cents": 1001})
    assert (refused.status, refused.code) == (400, "amount_not_representable")


def test_what_the_provider_refuses_names_the_field_and_changes_nothing(api: Api) -> None:
    made = api.payment()
    reply = put(api, made, {"total_cents": 3, "concept": "Other"})
    assert (reply.status, reply.fields) == (400, {"total_cents"})
    shown = api.get(f"/payments/{made['id']}").body
    assert shown | {"updated_at": ""} == made | {"updated_at": ""}


@pytest.mark.parametrize("status", ["processing", "requires_capture", "succeeded", "canceled"])
def test_what_the_provider_holds_does_not_change_after_a_charge(
    api: Api, stripe_simulator: StripeSimulator, dashboard: Dashboard, status: str
) -> None:
    made = api.payment()
    dashboard.turn(made, status)  # type: ignore[arg-type]
    refused_there = put(api, made, {"total_cents": 3000})
    api.sync(made)
    refused_here = put(api, made, {"total_cents": 3000, "concept": "Other"})
    for reply in (refused_there, refused_here):
        assert (reply.status, reply.code) == (409, "payment_not_updatable")
    shown = api.get(f"/payments/{made['id']}").body
    assert (shown["total_cents"], shown["concept"]) == (2000, None)


def test_a_failed_and_a_waiting_payment_may_still_change(api: Api) -> None:
    made = api.payment()
    assert api.confirm(made, {"payment_method_id": "pm_card_visa_chargeDeclined"}).status == 402
    assert put(api, made, {"total_cents": 3000}).body["total_cents"] == 3000
    secure = {"payment_method_id": "pm_card_threeDSecure2Required"}
    assert api.confirm(made, secure).body["status"] == "requires_action"
    reply = put(api, made, {"total_cents": 4000})
    assert (reply.status, reply.body["total_cents"]) == (200, 4000)
    assert reply.body["client_secret"] == made["client_secret"]
    assert api.confirm(made, VISA).body["amount_captured_cents"] == 4000


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
def test_fixed_fields_are_refused(api: Api, field: str, value: object) -> None:
    made = api.payment(organization_id="org_456")
    reply = put(api, made, {field: value, "concept": "Other"})
    assert (reply.status, reply.code, reply.fields) == (400, "immutable_field", {field})
    assert api.get(f"/payments/{made['id']}").body == made


def test_fixed_fields_may_be_repeated(api: Api) -> None:
    made = api.payment(organization_id="org_456")
    names = ("id", "provider_id", "organization_id", "customer_id", "capture_method")
    reply = put(api, made, {name: made[name] for name in names} | {"concept": "Other"})
    assert (reply.status, reply.body["concept"]) == (200, "Other")


def test_b18_naming_a_method_stores_it_and_charges_nothing(
    demo_data: StripeSimulator, api: Api, stranger: Api
) -> None:
    made = api.payment(customer_id="cust_456")
    before = len(demo_data.charges())
    saved = {"payment_method_id": "pm_saved_card_123"}
    reply = put(api, made, saved)
    assert (reply.status, reply.body["payment_method_id"]) == (200, "pm_saved_card_123")
    assert len(demo_data.charges()) == before
    assert api.confirm(made).body["status"] == "succeeded"
    assert put(stranger, stranger.payment(), saved).status == 404
    disagree = put(api, api.payment(customer_id="cust_123"), saved)
    assert (disagree.status, disagree.fields) == (400, {"payment_method_id"})
    unknown = put(api, api.payment(), {"payment_method_id": "pm_nobody_knows"})
    assert (unknown.status, unknown.fields) == (400, {"payment_method_id"})


def test_setup_future_usage_reaches_the_provider(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    reply = put(api, api.payment(), {"setup_future_usage": "off_session"})
    assert reply.body["setup_future_usage"] == "off_session"
    assert stripe_simulator.intents()[0]["setup_future_usage"] == "off_session"


def test_b19_a_return_address_is_judged_and_used(
    api: Api, stripe_simulator: StripeSimulator
) -> None:
    made = api.payment()
    reply = put(api, made, {"return_url": "https://evil.test/"})
    assert (reply.status, reply.fields) == (400, {"return_url"})
    back = "http://localhost:3000/here"
    assert put(api, made, {"return_url": back}).status == 200
    api.confirm(made, VISA)
    assert stripe_simulator.requests[-1].form["return_url"] == back


@pytest.mark.parametrize("kind", ["drop_after", "drop_before"])
def test_b20_an_update_whose_answer_was_lost_is_202_as_it_stands(
    api: Api, stripe_simulator: StripeSimulator, kind: str
) -> None:
    made = api.payment()
    stripe_simulator.fault("update_payment", kind, times=2)
    reply = put(api, made, {"total_cents": 3000})
    assert (reply.status, reply.body["status"]) == (202, "created")
    assert reply.body["total_cents"] == 2000
    assert int(reply.headers["retry-after"]) >= 1
    again = put(api, made, {"total_cents": 3000})
    assert again.status == 202  # the same request
    other = put(api, made, {"total_cents": 4000})
    assert (other.status, other.code) == (409, "payment_in_progress")
    shown = api.sync(made).body
    assert shown["total_cents"] == (3000 if kind == "drop_after" else 2000)


def test_b4_bad_fields_are_named_at_once(api: Api) -> None:
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
def test_b9_an_organizations_payment_is_changed_by_its_writing_roles(
    api: Api, signed_in: Callable[..., Api], role: str, status: int, change: dict[str, Any]
) -> None:
    made = api.payment(organization_id="org_456")
    assert put(signed_in("user_1", org_456=role), made, change).status == status


def test_who_may_not_see_it_may_not_change_it(api: Api, stranger: Api, guest: Api) -> None:
    made = api.payment()
    theirs = guest.payment(guest_data=GUEST)
    assert put(stranger, made, {"concept": "x"}).status == 404
    assert put(guest, made, {"concept": "x"}).status == 401
    bearing = guest.bearing(x_guest_token=theirs["guest_token"])
    assert put(bearing, theirs, {"concept": "x"}).status == 401
