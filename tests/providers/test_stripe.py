"""The Stripe adapter over real HTTP. Source: contracts/providers.md, A.1, B, C, E, F."""

import http.server
import json
import socket
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from bridge import clock, config
from bridge.errors import (
    InvalidRequest,
    NotExecuted,
    ProviderRejectedUs,
    ProviderUnavailable,
    Refused,
    UnknownOutcome,
    WrongState,
)
from bridge.models.currency import EXPONENTS
from bridge.models.customer import Customer, Guest
from bridge.models.identifier import new_id, suffix
from bridge.models.payment import Payment
from bridge.models.provider import NextAction, ProviderMethod, ProviderPayment
from bridge.models.queue_message import Parent
from bridge.providers.stripe import Stripe
from local.stripe import forms, routes
from local.stripe.log import Exchange
from local.stripe.simulator import StripeSimulator

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")
ADAPTER = Stripe()
VERSION = "2026-10-28.endive"
CUSTOMER_ID = "cust_01kjpx0000e0080000000000a1"
DECLINED = "pm_card_visa_chargeDeclinedInsufficientFunds"
SECURE = "pm_card_threeDSecure2Required"

Verb = Callable[[Payment], Any]


def soon(seconds: float = 25) -> datetime:
    return clock.now() + timedelta(seconds=seconds)


def customer(**more: object) -> Customer:
    at = clock.now()
    known = {"id": CUSTOMER_ID, "uid": suffix(CUSTOMER_ID), "email": "jane@example.com"}
    return Customer.model_validate(known | {"created_at": at, "updated_at": at} | more)


def payment(**more: object) -> Payment:
    at = clock.now()
    made = new_id("pay", at)
    row: dict[str, object] = {
        "id": made,
        "uid": suffix(made),
        "subtotal_cents": 2000,
        "tax_cents": 0,
        "discount_cents": 0,
        "total_cents": 2000,
        "currency": "USD",
        "provider_id": "stripe",
        "changed_at": at,
        "created_at": at,
        "updated_at": at,
    }
    return Payment.model_validate(row | more)


def create(row: Payment, token: str | None = None, **more: Any) -> ProviderPayment:
    how: dict[str, Any] = {"key": f"{row.uid}.1", "ends_at": soon()} | more
    return ADAPTER.create_payment(ADAPTER.write_creation(row, token), **how)


def opened(**more: object) -> Payment:
    """A payment that is created at the simulator."""
    row = payment(**more)
    return row.model_copy(update={"provider_payment_id": create(row).provider_payment_id})


def confirm(row: Payment, token: str | None = "pm_card_visa", **more: Any) -> ProviderPayment:
    how: dict[str, Any] = {"key": f"{row.uid}.2", "ends_at": soon()} | more
    return ADAPTER.confirm_payment(row, token, **how)


def update(row: Payment, token: str | None = None, **more: Any) -> ProviderPayment:
    how: dict[str, Any] = {"key": f"{row.uid}.3", "ends_at": soon()} | more
    return ADAPTER.update_payment(row, token, **how)


def cancel(row: Payment, **more: Any) -> ProviderPayment:
    how: dict[str, Any] = {"key": f"{row.uid}.4", "ends_at": soon()} | more
    return ADAPTER.cancel_payment(row, "abandoned", **how)


def fetch(row: Payment, **more: Any) -> ProviderPayment:
    return ADAPTER.fetch_payment(row, **{"ends_at": soon()} | more)


def make_customer(row: Payment, **more: Any) -> str:
    how: dict[str, Any] = {"key": f"{row.uid}.c", "ends_at": soon()} | more
    return ADAPTER.create_customer(customer(), **how)


def update_customer(row: Payment, **more: Any) -> None:
    seen = customer(provider_customer_id="cus_there")
    wanted = seen.model_copy(update={"phone": "12345"})
    ADAPTER.update_customer(seen, wanted, **{"ends_at": soon()} | more)


def delete_customer(row: Payment, **more: Any) -> None:
    ADAPTER.delete_customer("cus_there", **{"ends_at": soon()} | more)


def detach(row: Payment, **more: Any) -> None:
    ADAPTER.detach_method("pm_there", **{"ends_at": soon()} | more)


def fetch_method(row: Payment, **more: Any) -> ProviderMethod | None:
    return ADAPTER.fetch_method("pm_there", "cus_there", **{"ends_at": soon()} | more)


def attach(row: Payment, **more: Any) -> ProviderMethod:
    return ADAPTER.attach_method("pm_there", "cus_there", **{"ends_at": soon()} | more)


def create_anew(row: Payment, **more: Any) -> ProviderPayment:
    """The creation of the row is done, and remembered under its key."""
    return create(payment(), **more)


# By the simulator's name of the operation: the verb, and how often it may be sent.
VERBS: dict[str, tuple[Callable[..., Any], int]] = {
    "create_customer": (make_customer, 2),
    "update_customer": (update_customer, 2),
    "delete_customer": (delete_customer, 2),
    "attach": (attach, 2),
    "detach": (detach, 2),
    "fetch_method": (fetch_method, 2),
    "create_payment": (create_anew, 2),
    "update_payment": (update, 2),
    "confirm": (confirm, 1),
    "cancel": (cancel, 2),
    "fetch": (fetch, 2),
}
EACH_VERB = pytest.mark.parametrize("operation", list(VERBS))
# One that is keyed and repeated, one that is sent once, one that only reads: a new client of SSM,
# which every rotation takes, costs a fifth of a second.
EACH_KIND = pytest.mark.parametrize("operation", ["create_payment", "confirm", "fetch"])


def test_the_parent_of_a_charge_or_of_an_intent_is_told_with_our_reference(
    stripe_simulator: StripeSimulator, row: Payment
) -> None:
    confirm(row)
    (charge,) = stripe_simulator.charges()
    intent = str(row.provider_payment_id)
    expected = Parent(payment_id=row.id, provider_payment_id=intent)
    for known in (str(charge["id"]), intent):
        assert ADAPTER.find_parent(known, ends_at=soon()) == expected
    for unknown in ("ch_nowhere", "pi_nowhere"):
        assert ADAPTER.find_parent(unknown, ends_at=soon()) is None


def test_a_parent_that_cannot_be_asked_for_is_no_missing_one(
    stripe_simulator: StripeSimulator,
) -> None:
    stripe_simulator.fault("fetch_charge", "500_before", times=2)
    with pytest.raises(UnknownOutcome):
        ADAPTER.find_parent("ch_1", ends_at=soon())
    stripe_simulator.fault("fetch_charge", "401", times=2)
    with pytest.raises(ProviderRejectedUs):
        ADAPTER.find_parent("ch_1", ends_at=soon())


@pytest.fixture
def row(stripe_simulator: StripeSimulator) -> Payment:
    """A payment and a customer with a method that are there; a log of requests that is empty."""
    stripe_simulator.seed_customer("cus_there")
    stripe_simulator.seed_method("pm_there", "cus_there")
    made = opened()
    stripe_simulator.log.clear()
    return made


def sent(simulator: StripeSimulator, operation: str) -> Exchange:
    """The one request of an operation."""
    (found,) = [each for each in simulator.requests if each.operation == operation]
    return found


# --- what is sent -------------------------------------------------------------------------------


def test_a_customer_is_created_with_what_is_known(stripe_simulator: StripeSimulator) -> None:
    whole = customer(name="Jane Doe", phone="+1234567890", metadata={"tier": "gold"})
    made = ADAPTER.create_customer(whole, key="suffix.c", ends_at=soon())
    assert made == stripe_simulator.customers()[0]["id"]
    request = sent(stripe_simulator, "create_customer")
    assert request.headers["Idempotency-Key"] == "suffix.c"
    assert request.form == {
        "email": "jane@example.com",
        "name": "Jane Doe",
        "phone": "+1234567890",
        "metadata[tier]": "gold",
        "metadata[customer_id]": CUSTOMER_ID,
    }


def test_a_customers_change_sends_what_differs_and_clears_what_is_gone(
    stripe_simulator: StripeSimulator,
) -> None:
    seen = customer(
        name="Jane", phone="12345", metadata={"stays": "a", "goes": "b"}, provider_id="stripe"
    )
    made = ADAPTER.create_customer(seen, key="k", ends_at=soon())
    seen = seen.model_copy(update={"provider_customer_id": made})
    wanted = seen.model_copy(
        update={"phone": None, "name": "Janet", "metadata": {"stays": "a", "comes": 1}}
    )
    ADAPTER.update_customer(seen, wanted, ends_at=soon())
    request = sent(stripe_simulator, "update_customer")
    assert request.path == f"/v1/customers/{made}"
    assert request.form == {
        "name": "Janet",
        "phone": "",
        "metadata[goes]": "",
        "metadata[stays]": "a",
        "metadata[comes]": "1",
    }
    held = stripe_simulator.customers()[0]
    assert held["phone"] is None
    assert held["metadata"] == {"customer_id": CUSTOMER_ID, "stays": "a", "comes": "1"}


def test_a_customers_change_that_concerns_nobody_there_is_not_sent(
    stripe_simulator: StripeSimulator,
) -> None:
    seen = customer(provider_customer_id="cus_there")
    ADAPTER.update_customer(seen, seen.model_copy(update={"first_name": "J"}), ends_at=soon())
    assert stripe_simulator.requests == []


def test_a_customer_and_a_method_that_are_gone_already_are_no_error(
    stripe_simulator: StripeSimulator, row: Payment
) -> None:
    for _ in range(2):
        detach(row)
        delete_customer(row)
    ADAPTER.detach_method("pm_never", ends_at=soon())
    ADAPTER.delete_customer("cus_never", ends_at=soon())
    assert stripe_simulator.world.methods["pm_there"].customer is None
    assert stripe_simulator.customers() == [
        {"id": "cus_there", "object": "customer", "deleted": True}
    ]


def test_a_method_is_attached_and_read_and_again_is_the_same(
    stripe_simulator: StripeSimulator,
) -> None:
    stripe_simulator.seed_customer("cus_there")
    stripe_simulator.seed_method("pm_new", None, "amex")
    held = stripe_simulator.world.methods["pm_new"]
    for _ in range(2):
        kept = ADAPTER.attach_method("pm_new", "cus_there", ends_at=soon())
        told = (kept.token, kept.type, kept.brand, kept.last4, kept.exp_month, kept.exp_year)
        card = ("amex", held.card.last4, held.exp_month, held.exp_year)
        assert told == ("pm_new", "card", *card)
        assert "pm_new" not in repr(kept)


def test_a_saved_method_is_read_as_it_is_now(stripe_simulator: StripeSimulator) -> None:
    for customer_id in ("cus_there", "cus_other"):
        stripe_simulator.seed_customer(customer_id)
    stripe_simulator.seed_method("pm_there", "cus_there", "amex")
    kept = ADAPTER.attach_method("pm_there", "cus_there", ends_at=soon())
    assert ADAPTER.fetch_method("pm_there", "cus_there", ends_at=soon()) == kept
    stripe_simulator.dashboard_method("renew", "pm_there")
    renewed = ADAPTER.fetch_method("pm_there", "cus_there", ends_at=soon())
    assert renewed
    assert (renewed.last4, renewed.exp_year) == ("0006", (kept.exp_year or 0) + 4)
    for holder in ("cus_other", ""):
        assert ADAPTER.fetch_method("pm_there", holder, ends_at=soon()) is None
    stripe_simulator.dashboard_method("detach", "pm_there")
    assert ADAPTER.fetch_method("pm_there", "cus_there", ends_at=soon()) is None


@pytest.mark.parametrize("kind", ["500_before", "401"])
def test_a_method_that_cannot_be_asked_for_is_not_taken_for_gone(
    kind: str, stripe_simulator: StripeSimulator, row: Payment
) -> None:
    stripe_simulator.fault("fetch_method", kind, times=2)
    with pytest.raises(UnknownOutcome if kind == "500_before" else ProviderRejectedUs):
        fetch_method(row)


def test_a_method_that_stripe_has_never_had_is_not_taken_for_detached(
    stripe_simulator: StripeSimulator,
) -> None:
    """A key of another account would take every method from us."""
    stripe_simulator.seed_customer("cus_there")
    with pytest.raises(Refused):
        ADAPTER.fetch_method("pm_no", "cus_there", ends_at=soon())


@pytest.mark.parametrize("token", ["pm_nowhere", "pm_card_visa_chargeDeclined", "pm_there"])
def test_a_method_that_stripe_does_not_attach_is_refused(
    token: str, stripe_simulator: StripeSimulator
) -> None:
    """It is unknown, declined, or another customer's."""
    for customer_id in ("cus_there", "cus_other"):
        stripe_simulator.seed_customer(customer_id)
    stripe_simulator.seed_method("pm_there", "cus_there")
    with pytest.raises(Refused):
        ADAPTER.attach_method(token, "cus_other", ends_at=soon())


@pytest.mark.parametrize("manual", [False, True])
def test_a_method_that_has_paid_and_stays_with_its_customer_is_told(
    manual: bool, stripe_simulator: StripeSimulator
) -> None:
    stripe_simulator.seed_customer("cus_there")
    how: dict[str, Any] = {"capture_method": "manual"} if manual else {}
    saving: dict[str, Any] = {"setup_future_usage": "off_session"} | how
    row = opened(provider_customer_id="cus_there", **saving)
    assert fetch(row).saved is None
    shown = confirm(row)
    assert shown.saved
    assert (shown.saved.brand, shown.saved.last4) == ("visa", "4242")
    assert stripe_simulator.world.methods[shown.saved.token].customer == "cus_there"
    assert fetch(row).saved == shown.saved
    for kept in ({"setup_future_usage": None}, {"provider_customer_id": None}):
        other = opened(**{"provider_customer_id": "cus_there"} | saving | kept)
        assert confirm(other).saved is None


def test_a_payment_is_created_unconfirmed_with_our_id_in_its_metadata(
    stripe_simulator: StripeSimulator,
) -> None:
    stripe_simulator.seed_customer("cus_there")
    made = payment(
        description="A plan",
        reference_code="R-1",
        metadata={"order": 7},
        provider_customer_id="cus_there",
        setup_future_usage="off_session",
        capture_method="manual",
        guest=Guest(email="donor@example.com", name="John"),
    )
    answer = create(made, "pm_card_visa")
    request = sent(stripe_simulator, "create_payment")
    assert request.headers["Idempotency-Key"] == f"{made.uid}.1"
    assert request.form == {
        "amount": "2000",
        "currency": "usd",
        "customer": "cus_there",
        "payment_method": "pm_card_visa",
        "description": "A plan",
        "receipt_email": "donor@example.com",
        "setup_future_usage": "off_session",
        "capture_method": "manual",
        "automatic_payment_methods[enabled]": "true",
        "automatic_payment_methods[allow_redirects]": "never",
        "metadata[order]": "7",
        "metadata[payment_id]": made.id,
        "metadata[reference_code]": "R-1",
        "expand[0]": "latest_charge",
    }
    assert (answer.status, answer.total_cents, answer.currency) == ("created", 2000, "USD")
    assert str(answer.client_secret).startswith(answer.provider_payment_id + "_secret_")
    assert (answer.is_open, answer.has_method, answer.charge_id) == (True, True, None)
    assert stripe_simulator.charges() == []


def test_a_saved_method_is_not_named_before_the_confirm(
    stripe_simulator: StripeSimulator,
) -> None:
    """Its token is a secret: the request that is kept bears only tokens that a caller brought."""
    create(payment(payment_method_id="pm_saved_card_123"))
    assert "payment_method" not in sent(stripe_simulator, "create_payment").form


def test_where_a_return_address_is_known_redirects_are_allowed_and_it_goes_with_the_confirm(
    stripe_simulator: StripeSimulator,
) -> None:
    made = opened(may_redirect=True, return_url="https://shop.test/back")
    never = "automatic_payment_methods[allow_redirects]"
    assert never not in sent(stripe_simulator, "create_payment").form
    confirm(made)
    assert sent(stripe_simulator, "confirm").form == {
        "payment_method": "pm_card_visa",
        "return_url": "https://shop.test/back",
        "expand[0]": "latest_charge",
    }


def test_where_create_said_never_no_return_address_is_sent(
    stripe_simulator: StripeSimulator, row: Payment
) -> None:
    confirm(row.model_copy(update={"return_url": "https://shop.test/back"}))
    assert sent(stripe_simulator, "confirm").form.keys() == {"payment_method", "expand[0]"}


def test_an_update_sends_the_wanted_amounts(
    stripe_simulator: StripeSimulator, row: Payment
) -> None:
    wanted = row.model_copy(update={"total_cents": 300, "currency": "JPY"})
    answer = update(wanted, "pm_card_visa")
    assert (answer.total_cents, answer.currency, answer.has_method) == (300, "JPY", True)
    request = sent(stripe_simulator, "update_payment")
    assert request.headers["Idempotency-Key"] == f"{row.uid}.3"
    assert request.form == {
        "amount": "300",
        "currency": "jpy",
        "payment_method": "pm_card_visa",
        "expand[0]": "latest_charge",
    }


def test_a_cancellation_says_why(stripe_simulator: StripeSimulator, row: Payment) -> None:
    answer = cancel(row)
    assert (answer.status, answer.is_open) == ("canceled", False)
    form = sent(stripe_simulator, "cancel").form
    assert form == {"cancellation_reason": "abandoned", "expand[0]": "latest_charge"}


def test_a_fetch_carries_no_key(stripe_simulator: StripeSimulator, row: Payment) -> None:
    answer = fetch(row)
    assert answer.provider_payment_id == row.provider_payment_id
    request = sent(stripe_simulator, "fetch")
    assert (request.method, request.query) == ("GET", "expand%5B0%5D=latest_charge")
    assert "Idempotency-Key" not in request.headers


@EACH_VERB
def test_every_request_names_the_pinned_version_and_says_nothing_of_earlier_ones(
    stripe_simulator: StripeSimulator, row: Payment, operation: str
) -> None:
    verb, _ = VERBS[operation]
    verb(row)
    request = sent(stripe_simulator, operation)
    assert request.headers["Stripe-Version"] == VERSION
    assert request.headers["Authorization"] == "Bearer " + config.secret("STRIPE_SECRET_KEY")
    assert "X-Stripe-Client-Telemetry" not in request.headers
    assert request.status == 200


def test_all_that_is_sent_fits_stripes_own_description(
    stripe_simulator: StripeSimulator,
) -> None:
    """Fields, their types and their limits: the closed forms of local/stripe/schema.json."""
    make_customer(payment())
    held = str(stripe_simulator.customers()[0]["id"])
    seen = customer(provider_customer_id=held)
    changed = seen.model_copy(update={"email": "j@example.com", "metadata": {"a": 1}})
    ADAPTER.update_customer(seen, changed, ends_at=soon())
    row = opened(
        description="d",
        reference_code="r",
        metadata={"b": True, "c": 2.5},
        provider_customer_id=held,
        may_redirect=True,
        return_url="https://shop.test/back",
        setup_future_usage="on_session",
        guest=Guest(email="donor@example.com", name="John"),
    )
    update(row, "pm_card_visa")
    confirm(row)
    fetch(row)
    cancel(opened())
    stripe_simulator.seed_customer("cus_there")
    stripe_simulator.seed_method("pm_there", None)
    attach(row)
    fetch_method(row)
    detach(row)
    delete_customer(row)
    captured = stripe_simulator.requests
    assert {each.operation for each in captured} == VERBS.keys()
    for each in captured:
        found = routes.find(each.method, each.path)
        assert found
        if each.method == "GET":
            continue
        form = forms.schema()["forms"][found[0].url]
        typed = forms.check(form, forms.tree(forms.pairs(each.body.decode())))
        assert bool(typed) == (each.operation not in ("detach", "delete_customer"))
        assert each.status == 200


# --- what is read -------------------------------------------------------------------------------


def test_a_charge_is_read_with_its_time(stripe_simulator: StripeSimulator, row: Payment) -> None:
    answer = confirm(row)
    (charge,) = stripe_simulator.charges()
    assert (answer.status, answer.raw_status, answer.is_open) == ("succeeded", "succeeded", False)
    assert (answer.captured_cents, answer.refunded_cents) == (2000, 0)
    assert answer.charge_id == charge["id"]
    assert answer.charged_at
    assert answer.charged_at.timestamp() == charge["created"]
    assert fetch(row) == answer


@pytest.mark.parametrize(
    ("token", "code", "reason"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        (DECLINED, "card_declined", "insufficient_funds"),
        ("pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", None),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", None),
    ],
)
def test_a_decline_is_an_answer(row: Payment, token: str, code: str, reason: str | None) -> None:
    answer = confirm(row, token)
    assert (answer.status, answer.is_open, answer.captured_cents) == ("failed", True, 0)
    assert answer.failure
    assert (answer.failure.code, answer.failure.decline_code) == (code, reason)
    assert answer.failure.message
    assert answer.charge_id
    found = fetch(row)
    assert (found.status, found.failure, found.charge_id) == (
        answer.status,
        answer.failure,
        answer.charge_id,
    )


def test_who_must_act_is_told_where(stripe_simulator: StripeSimulator) -> None:
    with_address = opened(may_redirect=True, return_url="https://shop.test/back")
    redirected = confirm(with_address, SECURE)
    assert redirected.status == "requires_action"
    assert redirected.next_action
    assert redirected.next_action.type == "redirect"
    assert str(redirected.next_action.url).startswith(stripe_simulator.url)
    in_browser = confirm(opened(), SECURE)
    assert in_browser.next_action == NextAction(type="use_client_secret")


@pytest.mark.parametrize(
    ("word", "status", "is_open"),
    [
        ("requires_payment_method", "created", True),
        ("requires_confirmation", "created", True),
        ("requires_action", "requires_action", True),
        ("processing", "processing", False),
        ("requires_capture", "requires_capture", False),
        ("canceled", "canceled", False),
        ("succeeded", "succeeded", False),
        ("a_word_of_2030", None, False),
    ],
)
def test_stripes_words_are_ours(
    stripe_simulator: StripeSimulator, row: Payment, word: Any, status: str | None, is_open: bool
) -> None:
    stripe_simulator.world.intents[str(row.provider_payment_id)].status = word
    answer = fetch(row)
    assert (answer.status, answer.raw_status, answer.is_open) == (status, word, is_open)


def test_the_trace_of_an_earlier_decline_fails_nothing_but_an_open_intent(
    stripe_simulator: StripeSimulator, row: Payment
) -> None:
    confirm(row, DECLINED)
    assert fetch(row).status == "failed"
    stripe_simulator.world.intents[str(row.provider_payment_id)].status = "processing"
    assert (fetch(row).status, fetch(row).failure) == ("processing", None)


def test_refunds_and_disputes_are_read_from_the_charge(
    stripe_simulator: StripeSimulator, row: Payment
) -> None:
    confirm(row)
    intent = str(row.provider_payment_id)
    stripe_simulator.dashboard("refund", intent, 700)
    answer = fetch(row)
    assert (answer.status, answer.captured_cents, answer.refunded_cents) == ("succeeded", 2000, 700)
    (refund,) = answer.refunds
    assert (refund.refund_id, refund.amount_cents, refund.currency) == (None, 700, "USD")
    assert answer.dispute is None
    stripe_simulator.dashboard("dispute", intent)
    assert state_of(fetch(row)) == "open"
    stripe_simulator.dashboard("close_dispute", intent, outcome="lost")
    assert state_of(fetch(row)) == "lost"


@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_a_dispute_stays_on_the_charge_when_it_is_over(
    stripe_simulator: StripeSimulator, row: Payment, outcome: str
) -> None:
    confirm(row)
    intent = str(row.provider_payment_id)
    stripe_simulator.dashboard("dispute", intent)
    stripe_simulator.dashboard("close_dispute", intent, outcome=outcome)
    assert state_of(fetch(row)) == outcome


def test_an_inquiry_that_was_closed_took_nothing(
    stripe_simulator: StripeSimulator, row: Payment
) -> None:
    confirm(row)
    intent = str(row.provider_payment_id)
    stripe_simulator.dashboard("inquire", intent)
    assert state_of(fetch(row)) == "open"
    stripe_simulator.dashboard("close_dispute", intent, outcome="won")
    assert state_of(fetch(row)) == "won"


def state_of(answer: ProviderPayment) -> str | None:
    return answer.dispute.state if answer.dispute else None


def test_an_authorization_is_not_captured(row: Payment) -> None:
    answer = confirm(opened(capture_method="manual"))
    assert (answer.status, answer.captured_cents) == ("requires_capture", 0)
    assert answer.charge_id


# --- refusals, each definite --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "field", "reason"),
    [
        (lambda: create(payment(total_cents=3)), "total_cents", "amount_too_small"),
        (lambda: create(payment(total_cents=10**9)), "total_cents", "amount_too_large"),
        (lambda: create(payment(currency="KPW")), "currency", None),
        (
            lambda: create(payment(), "pm_nobody"),
            "payment_method_id",
            "resource_missing",
        ),
        (lambda: create(payment(provider_customer_id="cus_no")), "customer_id", "resource_missing"),
        (
            lambda: create(payment(guest=Guest(email="j@bücher.example", name="J"))),
            "guest_data.email",
            "email_invalid",
        ),
        (
            lambda: ADAPTER.create_customer(
                customer(email="j@bücher.example"), key="k", ends_at=soon()
            ),
            "email",
            "email_invalid",
        ),
        (lambda: confirm(opened(), "pm_nobody"), "payment_method_id", "resource_missing"),
    ],
)
def test_what_stripe_refuses_is_bad_input_on_a_field_of_ours(
    act: Callable[[], object], field: str, reason: str | None
) -> None:
    with pytest.raises(Refused) as refused:
        act()
    assert refused.value.status == 400
    assert [detail.field for detail in refused.value.details] == [field]
    assert refused.value.reason == reason


def test_what_only_we_can_have_done_wrong_is_no_bad_input(row: Payment) -> None:
    with pytest.raises(ProviderRejectedUs):
        fetch(row.model_copy(update={"provider_payment_id": "pi_nobody"}))


def test_what_is_done_already_is_an_answer(stripe_simulator: StripeSimulator, row: Payment) -> None:
    confirm(row)
    assert confirm(row, key="another").status == "succeeded"
    assert len(stripe_simulator.charges()) == 1
    other = opened()
    cancel(other)
    assert cancel(other, key="one more").status == "canceled"


@pytest.mark.parametrize(
    ("verb", "state", "code"),
    [
        (update, "succeeded", "payment_not_updatable"),
        (cancel, "succeeded", "payment_not_cancelable"),
        (confirm, "canceled", "payment_not_confirmable"),
        (partial(confirm, token=None), "requires_payment_method", "payment_not_confirmable"),
    ],
)
def test_a_state_that_forbids_the_call_is_told(
    stripe_simulator: StripeSimulator, row: Payment, verb: Verb, state: Any, code: str
) -> None:
    stripe_simulator.world.intents[str(row.provider_payment_id)].status = state
    with pytest.raises(WrongState) as refused:
        verb(row)
    assert (refused.value.status, refused.value.code) == (409, code)


@EACH_VERB
@pytest.mark.parametrize("kind", ["429", "lock_timeout"])
def test_a_limited_rate_is_told_at_once(
    stripe_simulator: StripeSimulator, row: Payment, operation: str, kind: str
) -> None:
    stripe_simulator.fault(operation, kind, times=None)
    with pytest.raises(ProviderUnavailable) as refused:
        VERBS[operation][0](row)
    assert refused.value.retry_after
    assert stripe_simulator.log.counts[operation] == 1


@EACH_KIND
@pytest.mark.parametrize("kind", ["401", "403"])
def test_wrong_credentials_are_our_fault_and_tried_twice(
    stripe_simulator: StripeSimulator, row: Payment, operation: str, kind: str
) -> None:
    stripe_simulator.fault(operation, kind, times=None)
    with pytest.raises(ProviderRejectedUs) as refused:
        VERBS[operation][0](row)
    assert refused.value.status == 502
    assert stripe_simulator.log.counts[operation] == 2


@EACH_KIND
def test_a_rotated_key_is_read_anew(
    stripe_simulator: StripeSimulator,
    row: Payment,
    operation: str,
    put_secret: Callable[[str, str], None],
) -> None:
    put_secret("STRIPE_SECRET_KEY", "rk_the_old_one")
    config.forget_secrets()
    assert config.secret("STRIPE_SECRET_KEY") == "rk_the_old_one"  # and it is kept
    put_secret("STRIPE_SECRET_KEY", "sk_test_the_new_one")
    VERBS[operation][0](row)
    tried = [each for each in stripe_simulator.requests if each.operation == operation]
    bearers = [each.headers["Authorization"].split()[1] for each in tried]
    assert bearers == ["rk_the_old_one", "sk_test_the_new_one"]
    assert len({each.headers.get("Idempotency-Key") for each in tried}) == 1


@EACH_VERB
def test_with_nobody_listening_it_surely_was_not_sent(
    stripe_simulator: StripeSimulator, row: Payment, operation: str
) -> None:
    stripe_simulator.stop()
    try:
        with pytest.raises(ProviderUnavailable) as refused:
            VERBS[operation][0](row)
    finally:
        stripe_simulator.start()
    assert (refused.value.status, refused.value.code) == (503, "provider_unavailable")


# --- outcomes that nobody knows -----------------------------------------------------------------


@EACH_VERB
@pytest.mark.parametrize(
    "kind",
    [
        "drop_before",
        "drop_after",
        "500_before",
        "500_after",
        "503",
        "html_502",
        "truncated_body",
        "409",
    ],
)
def test_an_unknown_outcome_is_unknown_after_as_many_tries_as_are_safe(
    stripe_simulator: StripeSimulator, row: Payment, operation: str, kind: str
) -> None:
    """A confirm is sent once: a bank may be at work, from there on only looks."""
    verb, tries = VERBS[operation]
    stripe_simulator.fault(operation, kind, times=None)
    with pytest.raises(UnknownOutcome):
        verb(row)
    sent_keys = [each.headers.get("Idempotency-Key") for each in stripe_simulator.requests]
    assert len(sent_keys) == tries
    assert len(set(sent_keys)) == 1 or operation in ("update_customer", "attach", "detach")


@pytest.mark.parametrize("operation", [each for each in VERBS if each != "confirm"])
@pytest.mark.parametrize("kind", ["drop_after", "500_before", "truncated_body"])
def test_an_answer_to_the_same_key_makes_it_definite(
    stripe_simulator: StripeSimulator, row: Payment, operation: str, kind: str
) -> None:
    stripe_simulator.fault(operation, kind)
    before = len(stripe_simulator.intents()), len(stripe_simulator.customers())
    VERBS[operation][0](row)
    assert stripe_simulator.log.counts[operation] == 2
    made = int(operation == "create_payment"), int(operation == "create_customer")
    after = len(stripe_simulator.intents()), len(stripe_simulator.customers())
    assert after == (before[0] + made[0], before[1] + made[1])


def test_a_500_that_stripe_remembers_stays_unknown(
    stripe_simulator: StripeSimulator, row: Payment
) -> None:
    """The effect is there, the key replays the 500: only a look can tell."""
    stripe_simulator.fault("update_payment", "500_after")
    wanted = row.model_copy(update={"total_cents": 3000})
    with pytest.raises(UnknownOutcome):
        update(wanted)
    assert stripe_simulator.log.counts["update_payment"] == 2
    with pytest.raises(UnknownOutcome):
        update(wanted)
    assert fetch(row).total_cents == 3000


def test_a_key_with_other_parameters_is_unknown_since_the_first_call_may_have_landed(
    row: Payment,
) -> None:
    update(row)
    with pytest.raises(UnknownOutcome):
        update(row.model_copy(update={"total_cents": 3000}))


class Vanishing:
    """A server that takes one request, answers nothing, and is gone: nobody listens any more."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        self.heard = b""

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        self.heard = connection.recv(65536)
        self._listener.close()
        connection.close()

    def join(self) -> None:
        self._thread.join(timeout=5)


@pytest.mark.parametrize("operation", ["create_payment", "fetch"])
def test_unknown_first_and_surely_not_sent_then_is_unknown(
    row: Payment,
    operation: str,
    put_secret: Callable[[str, str], None],
    setting: Callable[[str, str], None],
) -> None:
    """What the last try says is not what became of the attempt. Source: convergence.md, rule 4."""
    server = Vanishing()
    put_secret(
        "STRIPE_SECRET_KEY", f"sk_test_vanishing_{operation}"
    )  # a client of its own, with that address
    config.forget_secrets()
    setting("STRIPE_BASE_URL", server.url)
    with pytest.raises(UnknownOutcome):
        VERBS[operation][0](row)
    server.join()
    assert server.heard


class Refusing(http.server.BaseHTTPRequestHandler):
    """A Stripe that detaches nothing, for a reason without a code, and shows what is attached."""

    def do_POST(self) -> None:
        self.answer(400, {"error": {"type": "invalid_request_error", "message": "Not now."}})

    def do_GET(self) -> None:
        held = {"id": "pm_there", "object": "payment_method", "customer": "cus_there"}
        self.answer(200, held)

    def answer(self, status: int, body: dict[str, Any]) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())


def test_a_method_that_is_refused_and_still_attached_is_not_taken_for_detached(
    row: Payment, put_secret: Callable[[str, str], None], setting: Callable[[str, str], None]
) -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        put_secret("STRIPE_SECRET_KEY", "sk_test_refusing")  # a client with that address
        config.forget_secrets()
        setting("STRIPE_BASE_URL", f"http://127.0.0.1:{server.server_port}")
        with pytest.raises(Refused, match="Not now"):
            detach(row)
        server.shutdown()


# --- time ---------------------------------------------------------------------------------------


@EACH_VERB
@pytest.mark.parametrize("seconds", [5.5, 0, -10])
def test_a_call_with_too_little_time_is_not_sent(
    stripe_simulator: StripeSimulator, row: Payment, operation: str, seconds: float
) -> None:
    with pytest.raises(ProviderUnavailable):
        VERBS[operation][0](row, ends_at=soon(seconds))
    assert stripe_simulator.requests == []


@pytest.mark.parametrize("operation", ["confirm", "fetch"])
def test_a_call_waits_no_longer_than_there_is_time_to_write_down_its_end(
    stripe_simulator: StripeSimulator, row: Payment, operation: str
) -> None:
    stripe_simulator.fault(operation, "hang_before", times=None, seconds=20)
    began = time.monotonic()
    with pytest.raises(UnknownOutcome):
        VERBS[operation][0](row, ends_at=soon(6.5))
    assert time.monotonic() - began < 2.5  # 4 of the 6.5 seconds are left
    assert stripe_simulator.log.counts[operation] == 1


# --- money --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("currency", "cents", "units"),
    [
        ("USD", 2000, 2000),
        ("JPY", 2000, 2000),
        ("KRW", 2000, 2000),
        ("ISK", 500, 50_000),
        ("UGX", 500, 50_000),
        ("MGA", 500_000, 5000),
        ("HUF", 17_501, 17_501),
        ("TWD", 2001, 2001),
        ("KWD", 5010, 5010),
        ("BHD", 5010, 5010),
    ],
)
def test_money_is_sent_in_stripes_units_and_read_back_in_ours(
    stripe_simulator: StripeSimulator, currency: str, cents: int, units: int
) -> None:
    ADAPTER.check_amount(cents, currency)
    made = opened(currency=currency, total_cents=cents)
    assert sent(stripe_simulator, "create_payment").form["amount"] == str(units)
    answer = confirm(made)
    assert (answer.total_cents, answer.captured_cents) == (cents, cents)
    stripe_simulator.dashboard("refund", str(made.provider_payment_id))
    assert fetch(made).refunded_cents == cents


@pytest.mark.parametrize(
    ("currency", "cents", "field"),
    [
        ("MGA", 5050, "total_cents"),
        ("KWD", 5001, "total_cents"),
        ("TND", 5009, "total_cents"),
        *((each, 5000, "currency") for each in ("IQD", "LYD", "CLF", "UYW", "UYI")),
    ],
)
def test_what_does_not_convert_exactly_is_refused_and_not_sent(
    stripe_simulator: StripeSimulator, currency: str, cents: int, field: str
) -> None:
    for act in (
        lambda: ADAPTER.check_amount(cents, currency),
        lambda: create(payment(currency=currency, total_cents=cents)),
    ):
        with pytest.raises(InvalidRequest) as refused:
            act()
        assert refused.value.code == "amount_not_representable"
        assert [detail.field for detail in refused.value.details] == [field]
    assert stripe_simulator.requests == []


def test_every_currency_that_stripe_takes_comes_back_as_it_went() -> None:
    came_back = {}
    for currency in EXPONENTS:
        with suppress(Refused, InvalidRequest):  # not offered there
            answer = create(payment(currency=currency, total_cents=500_000))
            came_back[currency] = (answer.currency, answer.total_cents)
    assert len(came_back) > 120
    assert came_back == {currency: (currency, 500_000) for currency in came_back}


# --- metadata -----------------------------------------------------------------------------------


def test_metadata_goes_out_as_text_and_what_does_not_fit_stays_with_us(
    stripe_simulator: StripeSimulator,
) -> None:
    metadata = {
        "text": "a",
        "yes": True,
        "no": False,
        "whole": 7,
        "part": 2.5,
        "empty": "",
        "a[b]": "brackets",
        "payment_id": "forged",
        "customer_id": "forged",
        "reference_code": "forged",
    }
    made = payment(metadata=metadata)
    create(made)
    held = stripe_simulator.intents()[0]["metadata"]
    plain = {"text": "a", "yes": "true", "no": "false", "whole": "7", "part": "2.5"}
    assert held == plain | {"payment_id": made.id}


@pytest.mark.parametrize("reference_code", [None, "R-1"])
def test_of_50_keys_as_many_go_as_there_is_room_beside_ours(
    stripe_simulator: StripeSimulator, reference_code: str | None
) -> None:
    fifty: dict[str, Any] = {f"key {number}": "v" * 500 for number in range(50)}
    made = payment(metadata=fifty, reference_code=reference_code)
    create(made)
    held = stripe_simulator.intents()[0]["metadata"]
    assert isinstance(held, dict)
    assert held["payment_id"] == made.id
    assert 48 <= len(held) <= 50
    seen = customer(metadata=fifty)
    made_id = ADAPTER.create_customer(seen, key="k", ends_at=soon())
    seen = seen.model_copy(update={"provider_customer_id": made_id})
    others = {f"other {number}": 1 for number in range(50)}
    wanted = seen.model_copy(update={"metadata": others})
    ADAPTER.update_customer(seen, wanted, ends_at=soon())
    kept = stripe_simulator.customers()[0]["metadata"]
    assert isinstance(kept, dict)
    assert kept["customer_id"] == CUSTOMER_ID
    assert all(key.startswith("other") for key in kept if key != "customer_id")


# --- secrets ------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["create_customer", "create_payment", "confirm"])
@pytest.mark.parametrize("kind", ["401", "429", "409", "500_before", "html_502", "truncated_body"])
def test_what_is_raised_keeps_keys_and_persons_to_itself(
    stripe_simulator: StripeSimulator, row: Payment, operation: str, kind: str
) -> None:
    stripe_simulator.fault(operation, kind, times=None)
    with pytest.raises((NotExecuted, UnknownOutcome)) as raised:
        VERBS[operation][0](row)
    told = "".join(traceback.format_exception(raised.value)) + str(raised.value.details)
    assert config.secret("STRIPE_SECRET_KEY") not in told
    assert "_secret_" not in told
    assert "jane@example.com" not in told


def test_a_provider_payment_does_not_print_its_client_secret(row: Payment) -> None:
    shown = fetch(row)
    assert shown.client_secret
    assert shown.client_secret not in repr(shown)


def test_without_a_key_in_ssm_nothing_is_sent(
    stripe_simulator: StripeSimulator, row: Payment, setting: Callable[[str, str], None]
) -> None:
    setting("SECRETS_PREFIX", "/nowhere")
    with pytest.raises(ProviderRejectedUs) as refused:
        confirm(row)
    assert "nowhere" not in "".join(traceback.format_exception(refused.value))
    assert stripe_simulator.requests == []


def test_in_live_mode_nobody_is_pointed_at_a_simulator(
    put_secret: Callable[[str, str], None], row: Payment, setting: Callable[[str, str], None]
) -> None:
    put_secret("STRIPE_SECRET_KEY", "sk_live_never_sent")
    config.forget_secrets()
    setting("MODE", "live")
    with pytest.raises(ValueError, match="STRIPE_BASE_URL"):
        fetch(row)
