"""Stripe's objects as ours: statuses, charges, disputes, money, metadata; over real HTTP.

Source: docs/providers.md, section B; docs/providers.md, section E.
"""

from contextlib import suppress
from typing import Any

import pytest
from msgspec.structs import replace

from bridge.errors import (
    InvalidRequest,
    Refused,
)
from bridge.models.currency import EXPONENTS
from bridge.models.payment import Payment
from bridge.models.provider import NextAction
from local.stripe.simulator import StripeSimulator
from tests.providers.conftest import (
    ADAPTER,
    CUSTOMER_ID,
    DECLINED,
    SECURE,
    confirm,
    create,
    customer,
    fetch,
    opened,
    payment,
    sent,
    soon,
    state_of,
)

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")


def test_read_payment_has_the_charge_with_its_time(
    stripe_simulator: StripeSimulator, row: Payment
) -> None:
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
def test_decline_is_an_answer_with_failed_and_both_codes(
    row: Payment, token: str, code: str, reason: str | None
) -> None:
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


def test_next_action_is_a_redirect_or_use_client_secret(stripe_simulator: StripeSimulator) -> None:
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
def test_every_intent_status_becomes_ours_or_none(
    stripe_simulator: StripeSimulator, row: Payment, word: Any, status: str | None, is_open: bool
) -> None:
    stripe_simulator.world.intents[str(row.provider_payment_id)].status = word
    answer = fetch(row)
    assert (answer.status, answer.raw_status, answer.is_open) == (status, word, is_open)


def test_earlier_decline_counts_only_in_requires_payment_method(
    stripe_simulator: StripeSimulator, row: Payment
) -> None:
    confirm(row, DECLINED)
    assert fetch(row).status == "failed"
    stripe_simulator.world.intents[str(row.provider_payment_id)].status = "processing"
    assert (fetch(row).status, fetch(row).failure) == ("processing", None)


def test_closed_inquiry_counts_as_won(stripe_simulator: StripeSimulator, row: Payment) -> None:
    confirm(row)
    intent = str(row.provider_payment_id)
    stripe_simulator.dashboard("inquire", intent)
    assert state_of(fetch(row)) == "open"
    stripe_simulator.dashboard("close_dispute", intent, outcome="won")
    assert state_of(fetch(row)) == "won"


def test_authorization_is_requires_capture_with_nothing_captured(row: Payment) -> None:
    answer = confirm(opened(capture_method="manual"))
    assert (answer.status, answer.captured_cents) == ("requires_capture", 0)
    assert answer.charge_id


@pytest.mark.parametrize("manual", [False, True])
def test_saved_is_the_method_that_paid_and_stays_with_its_customer(
    manual: bool, stripe_simulator: StripeSimulator
) -> None:
    stripe_simulator.seed_customer("cus_there")
    how: dict[str, Any] = {"capture_method": "manual"} if manual else {}
    saving: dict[str, Any] = {"setup_future_usage": "off_session"} | how
    row = opened(provider_customer_id="cus_there", **saving)
    assert fetch(row).saved is None
    answer = confirm(row)
    assert answer.saved
    assert (answer.saved.brand, answer.saved.last4) == ("visa", "4242")
    assert stripe_simulator.world.methods[answer.saved.token].customer == "cus_there"
    assert fetch(row).saved == answer.saved
    for kept in ({"setup_future_usage": None}, {"provider_customer_id": None}):
        other = opened(**{"provider_customer_id": "cus_there"} | saving | kept)
        assert confirm(other).saved is None


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
def test_amount_that_does_not_convert_exactly_is_refused_and_not_sent(
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


def test_every_currency_of_stripe_is_read_back_as_it_was_sent() -> None:
    came_back = {}
    for currency in EXPONENTS:
        with suppress(Refused, InvalidRequest):  # not offered there
            answer = create(payment(currency=currency, total_cents=500_000))
            came_back[currency] = (answer.currency, answer.total_cents)
    assert len(came_back) > 120
    assert came_back == {currency: (currency, 500_000) for currency in came_back}


def test_metadata_is_sent_as_text_and_what_does_not_fit_is_left_out(
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
    stored = stripe_simulator.intents()[0]["metadata"]
    plain = {"text": "a", "yes": "true", "no": "false", "whole": "7", "part": "2.5"}
    assert stored == plain | {"payment_id": made.id}


@pytest.mark.parametrize("reference_code", [None, "R-1"])
def test_metadata_of_50_keys_leaves_room_for_our_own_keys(
    stripe_simulator: StripeSimulator, reference_code: str | None
) -> None:
    fifty: dict[str, Any] = {f"key {number}": "v" * 500 for number in range(50)}
    made = payment(metadata=fifty, reference_code=reference_code)
    create(made)
    stored = stripe_simulator.intents()[0]["metadata"]
    assert isinstance(stored, dict)
    assert stored["payment_id"] == made.id
    assert 48 <= len(stored) <= 50
    seen = customer(metadata=fifty)
    made_id = ADAPTER.create_customer(seen, key="k", ends_at=soon())
    seen = replace(seen, provider_customer_id=made_id)
    others = {f"other {number}": 1 for number in range(50)}
    changed = replace(seen, metadata=others)
    ADAPTER.update_customer(seen, changed, ends_at=soon())
    kept = stripe_simulator.customers()[0]["metadata"]
    assert isinstance(kept, dict)
    assert kept["customer_id"] == CUSTOMER_ID
    assert all(key.startswith("other") for key in kept if key != "customer_id")


def test_repr_of_a_provider_payment_has_no_client_secret(row: Payment) -> None:
    answer = fetch(row)
    assert answer.client_secret
    assert answer.client_secret not in repr(answer)
