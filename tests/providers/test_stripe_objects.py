"""Stripe's objects as ours: statuses, charges, disputes, money, metadata; over real HTTP.

Source: docs/providers.md, section B; docs/providers.md, section E.
"""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
import stripe
from msgspec.structs import replace

from bridge.errors import InvalidRequest, Refused
from bridge.models.currency import EXPONENTS
from bridge.models.payment import Payment
from bridge.models.provider import (
    Dispute,
    Failure,
    NextAction,
    ProviderChange,
    ProviderMethod,
    ProviderPayment,
    ProviderRefund,
    method_digest,
)
from bridge.providers import stripe_objects
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
CHARGED = 1_700_000_000
CARD: dict[str, Any] = {"brand": "visa", "last4": "4242", "exp_month": 4, "exp_year": 2030}
PAID_CARD = {"type": "card", "card": CARD}
SAVED = ProviderMethod(token="pm_1", type="card", **CARD)


def charge(**more: Any) -> dict[str, Any]:
    """A charge of 2000 units that has succeeded."""
    amounts = {"amount": 2000, "amount_captured": 2000, "amount_refunded": 0}
    known = {"id": "ch_1", "created": CHARGED, "status": "succeeded", "disputed": False}
    return known | amounts | {"payment_method_details": PAID_CARD} | more


def read(**more: Any) -> ProviderPayment:
    """What we read of a payment intent that has only what every intent has, and `more`."""
    known = {"id": "pi_1", "status": "succeeded", "amount": 2000, "currency": "usd"}
    fields = known | {"client_secret": "pi_1_secret", "metadata": {}} | more
    return stripe_objects.read_payment(stripe.PaymentIntent.construct_from(fields, "sk_test"))


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
    assert fetch(row) == replace(answer, refunds=())


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
    assert answer.declined == answer.failure
    assert answer.charge_id
    found = fetch(row)
    assert (found.status, found.failure, found.charge_id) == (
        answer.status,
        answer.failure,
        answer.charge_id,
    )
    assert found.declined is None  # that is what a call was answered, not a state


def test_payment_id_is_ours_or_none_if_the_object_has_none(
    stripe_simulator: StripeSimulator, row: Payment
) -> None:
    assert fetch(row).payment_id == row.id
    stripe_simulator.seed_payment("pi_of_another_system", amount=2000, currency="usd")
    assert fetch(replace(row, provider_payment_id="pi_of_another_system")).payment_id is None


def test_method_is_a_digest_and_never_the_token(
    stripe_simulator: StripeSimulator, row: Payment
) -> None:
    assert fetch(row).method is None
    answer = confirm(row)
    token = str(stripe_simulator.intents()[0]["payment_method"])
    assert answer.method == method_digest(token)
    assert token not in repr(answer)


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


def test_read_payment_of_an_intent_without_a_charge() -> None:
    assert read(status="requires_confirmation") == ProviderPayment(
        provider_payment_id="pi_1",
        status="created",
        raw_status="requires_confirmation",
        total_cents=2000,
        currency="USD",
        client_secret="pi_1_secret",
        is_open=True,
    )


def test_read_payment_with_all_that_an_intent_can_have() -> None:
    kept = {"setup_future_usage": "off_session", "customer": "cus_1", "payment_method": "pm_1"}
    kept |= {"statement_descriptor_suffix": "SHOP"}
    given_back = charge(amount=200_000, amount_captured=150_000, amount_refunded=120_000)
    amounts = {"amount": 200_000, "amount_received": 150_000, "currency": "isk"}
    assert read(latest_charge=given_back, **amounts, **kept) == ProviderPayment(
        provider_payment_id="pi_1",
        status="succeeded",
        raw_status="succeeded",
        total_cents=2000,
        captured_cents=1500,
        refunded_cents=700,  # what the partial capture has released is no refund
        currency="ISK",
        charge_id="ch_1",
        charged_at=datetime.fromtimestamp(CHARGED, UTC),
        client_secret="pi_1_secret",
        method=method_digest("pm_1"),
        setup_future_usage="off_session",
        statement_descriptor="SHOP",
        saved=SAVED,
    )


def test_read_payment_with_a_charge_that_is_not_expanded_has_its_id_only() -> None:
    answer = read(latest_charge="ch_1", amount_received=None)
    assert (answer.charge_id, answer.charged_at) == ("ch_1", None)
    assert (answer.captured_cents, answer.refunded_cents) == (0, None)


@pytest.mark.parametrize(
    ("captured", "refunded", "given_back"),
    [(2000, 0, 0), (2000, 700, 700), (1500, 500, 0), (1500, 501, 1), (1500, 0, 0), (0, 2000, 0)],
)
def test_refunded_is_without_what_was_released(
    captured: int, refunded: int, given_back: int
) -> None:
    expanded = charge(amount_captured=captured, amount_refunded=refunded)
    assert read(latest_charge=expanded).refunded_cents == given_back


@pytest.mark.parametrize(
    "lacking",
    [
        {"setup_future_usage": None},
        {"customer": None},
        {"payment_method": None},
        {"latest_charge": None},
        {"latest_charge": charge(status="failed")},
        {"latest_charge": charge(payment_method_details=None)},
    ],
)
def test_saved_needs_a_customer_a_wish_and_a_charge_that_has_succeeded(
    lacking: dict[str, Any],
) -> None:
    kept = {"setup_future_usage": "off_session", "customer": "cus_1", "payment_method": "pm_1"}
    known = kept | {"latest_charge": charge()}
    assert read(**known).saved == SAVED
    assert read(**known | lacking).saved is None


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (
            {"code": "card_declined", "decline_code": "lost_card", "message": "Lost."},
            Failure(code="card_declined", message="Lost.", decline_code="lost_card"),
        ),
        (
            {"type": "api_error"},
            Failure(code="payment_failed", message="The payment was declined."),
        ),
    ],
)
def test_failure_is_stripes_error_with_words_of_ours_where_it_has_none(
    error: dict[str, str], failure: Failure
) -> None:
    answer = read(status="requires_payment_method", last_payment_error=error)
    assert (answer.status, answer.failure) == ("failed", failure)


@pytest.mark.parametrize(
    ("status", "action", "expected"),
    [
        (
            "requires_action",
            {"type": "redirect_to_url", "redirect_to_url": {"url": "https://bank.test/3ds"}},
            NextAction(type="redirect", url="https://bank.test/3ds"),
        ),
        (
            "requires_action",
            {"type": "use_stripe_sdk", "use_stripe_sdk": {}},
            NextAction(type="use_client_secret"),
        ),
        ("requires_action", None, None),
        ("processing", {"type": "use_stripe_sdk", "use_stripe_sdk": {}}, None),
    ],
)
def test_next_action_counts_only_in_requires_action(
    status: str, action: dict[str, Any] | None, expected: NextAction | None
) -> None:
    assert read(status=status, next_action=action).next_action == expected
    assert read(status=status).next_action is None


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("pending", "pending"),
        ("requires_action", "pending"),
        ("succeeded", "succeeded"),
        ("failed", "failed"),
        ("canceled", "failed"),
        ("a_word_of_2030", "pending"),
    ],
)
def test_every_refund_status_becomes_ours_and_an_unknown_one_is_pending(
    word: str, status: Any
) -> None:
    fields = {
        "id": "re_1",
        "amount": 50_000,
        "currency": "ugx",
        "status": word,
        "reason": "duplicate",
        "created": CHARGED,
        "metadata": {"refund_id": "ref_1"},
    }
    refund = stripe.Refund.construct_from(fields, "sk_test")
    assert stripe_objects.read_refund(refund) == ProviderRefund(
        provider_refund_id="re_1",
        refund_id="ref_1",
        amount_cents=500,
        currency="UGX",
        status=status,
        reason="duplicate",
        created_at=datetime.fromtimestamp(CHARGED, UTC),
    )
    elsewhere = stripe.Refund.construct_from(fields | {"metadata": {}}, "sk_test")
    assert stripe_objects.read_refund(elsewhere).refund_id is None


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("won", "won"),
        ("warning_closed", "won"),
        ("prevented", "won"),
        ("lost", "lost"),
        ("needs_response", "open"),
        ("a_word_of_2030", "open"),
    ],
)
def test_every_dispute_status_becomes_ours_and_an_unknown_one_is_open(
    word: str, state: Any
) -> None:
    dispute = stripe.Dispute.construct_from({"id": "dp_1", "status": word}, "sk_test")
    assert stripe_objects.read_dispute(dispute) == Dispute(id="dp_1", state=state)


def listed(kind: type[stripe.StripeObject], **fields: Any) -> ProviderChange | None:
    """What we read of one line of a list."""
    return stripe_objects.read_change(kind.construct_from(fields, "sk_test"))


REFUND: dict[str, Any] = {
    "object": "refund",
    "id": "re_1",
    "payment_intent": "pi_1",
    "currency": "usd",
    "status": "succeeded",
    "reason": None,
    "created": CHARGED,
}


def test_listed_intent_is_read_as_a_payment() -> None:
    intent = {"id": "pi_1", "status": "succeeded", "amount": 2000, "currency": "usd"}
    intent |= {"object": "payment_intent", "client_secret": "pi_1_secret", "metadata": {}}
    assert listed(stripe.PaymentIntent, **intent) == ProviderChange(
        provider_payment_id="pi_1", payment=read()
    )


@pytest.mark.parametrize(
    ("captured", "amount", "refund_id", "is_release"),
    [
        (1500, 500, None, True),
        (1500, 500, "ref_1", False),
        (1500, 400, None, False),
        (2000, 500, None, False),
    ],
)
def test_listed_refund_is_left_out_if_it_only_releases_what_was_not_captured(
    captured: int, amount: int, refund_id: str | None, is_release: bool
) -> None:
    given_back = charge(amount_captured=captured, amount_refunded=700, currency="usd")
    metadata = {"refund_id": refund_id} if refund_id else {}
    more = {"amount": amount, "metadata": metadata, "charge": given_back}
    change = listed(stripe.Refund, **REFUND, **more)
    assert change
    assert (change.provider_payment_id, change.payment, change.dispute) == ("pi_1", None, None)
    assert change.refunded_cents == 700 - (2000 - captured)
    assert (change.refund is None) == is_release
    if change.refund:
        assert (change.refund.refund_id, change.refund.amount_cents) == (refund_id, amount)


def test_listed_dispute_is_read_and_a_line_without_an_intent_is_not() -> None:
    dispute = {"object": "dispute", "id": "dp_1", "status": "lost"}
    assert listed(stripe.Dispute, **dispute, payment_intent="pi_1") == ProviderChange(
        provider_payment_id="pi_1", dispute=Dispute(id="dp_1", state="lost")
    )
    assert listed(stripe.Dispute, **dispute, payment_intent=None) is None


def test_read_method_has_the_details_of_cards_only() -> None:
    paid = stripe.StripeObject.construct_from(PAID_CARD, "sk_test")
    assert stripe_objects.read_method("pm_1", "card", paid) == SAVED
    debit = stripe.StripeObject.construct_from({"type": "sepa_debit"}, "sk_test")
    expected = ProviderMethod(token="pm_2", type="sepa_debit")
    assert stripe_objects.read_method("pm_2", "sepa_debit", debit) == expected


@pytest.mark.parametrize("wrong", [{"id": 7}, {"client_secret": 7}])
def test_object_with_a_field_of_another_type_is_not_accepted(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="Expected `str"):
        read(**wrong)


def test_parts_with_a_field_of_another_type_are_not_accepted() -> None:
    paid = stripe.StripeObject.construct_from({"card": CARD | {"last4": 4242}}, "sk_test")
    dispute = stripe.Dispute.construct_from({"id": 7, "status": "won"}, "sk_test")
    fields = {"id": 7, "amount": 1, "currency": "usd", "status": "pending", "reason": None}
    more = {"created": CHARGED, "metadata": {}}
    refund = stripe.Refund.construct_from(fields | more, "sk_test")
    action = {"type": "redirect_to_url", "redirect_to_url": {"url": 7}}
    for act in (
        lambda: stripe_objects.read_method("pm_1", "card", paid),
        lambda: stripe_objects.read_dispute(dispute),
        lambda: stripe_objects.read_refund(refund),
        lambda: read(status="requires_action", next_action=action),
        lambda: read(status="requires_payment_method", last_payment_error={"code": 7}),
    ):
        with pytest.raises(ValueError, match="Expected `str"):
            act()


def test_statement_descriptor_is_sent_as_the_suffix() -> None:
    row = payment(statement_descriptor="SHOES")
    assert stripe_objects.write_descriptor(row) == {"statement_descriptor_suffix": "SHOES"}
    assert stripe_objects.write_descriptor(payment()) == {}


def test_amount_is_sent_with_the_currency_in_small_letters() -> None:
    row = payment(currency="ISK", total_cents=500)
    assert stripe_objects.write_amount(row) == {"amount": 50_000, "currency": "isk"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"email": "jane@example.com", "name": "Jane", "phone": "+1 555 0100"},
            {"email": "jane@example.com", "name": "Jane", "phone": "+1 555 0100"},
        ),
        ({"email": "no address", "name": "n" * 257}, {"name": "n" * 256}),
        ({"email": None, "phone": "1" * 20}, {"phone": "1" * 20}),
        ({"email": None, "phone": "1" * 21}, {}),
    ],
)
def test_customer_is_sent_with_what_stripe_accepts(
    fields: dict[str, Any], expected: dict[str, str]
) -> None:
    assert stripe_objects.write_customer(customer(**fields)) == expected


def test_metadata_has_stripes_lengths_no_nested_values_and_none_of_our_keys() -> None:
    longest: dict[str, Any] = {"k" * 40: "v" * 500}
    too_much: dict[str, Any] = {"k" * 41: "v", "k": "v" * 501, "list": [1], "none": None}
    brackets = {"a[": "v", "a]": "v"}
    ours = dict.fromkeys(("payment_id", "customer_id", "reference_code"), "forged")
    written = stripe_objects.write_metadata(longest | too_much | brackets | ours)
    assert written == longest
    assert stripe_objects.write_metadata({"Key": "Text", "yes": True}) == {
        "Key": "Text",
        "yes": "true",
    }
    fifty = {f"key {number}": number for number in range(50)}
    assert list(stripe_objects.write_metadata(fifty)) == list(fifty)[:48]


@pytest.mark.parametrize(
    ("currency", "cents", "detail"),
    [
        ("IQD", 1000, ("currency", "Stripe does not offer IQD")),
        ("MGA", 1001, ("amount_cents", "must be a multiple of 100 in MGA")),
        ("KWD", 1001, ("amount_cents", "must be a multiple of 10 in KWD")),
    ],
)
def test_amount_that_does_not_convert_is_refused_with_the_reason(
    currency: str, cents: int, detail: tuple[str, str]
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        stripe_objects.to_units(cents, currency, "amount_cents")
    assert str(refused.value) == " ".join(detail)
    assert refused.value.details == [detail]


@pytest.mark.parametrize(
    ("currency", "units", "cents"),
    [("USD", 2000, 2000), ("ISK", 50_000, 500), ("MGA", 5000, 500_000), ("KWD", 5010, 5010)],
)
def test_units_convert_both_ways(currency: str, units: int, cents: int) -> None:
    assert stripe_objects.from_units(units, currency) == cents
    assert stripe_objects.to_units(cents, currency) == units
