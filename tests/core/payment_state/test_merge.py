"""The merge as a pure function. Source: docs/payment-correctness.md, sections 2 and 5."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from hypothesis import given, strategies as st
from msgspec.structs import replace

from bridge.core.payment_state import merge, state_machine
from bridge.models.payment import ActiveAttempt, AttemptOutcome, Payment
from bridge.models.provider import (
    Dispute,
    Failure,
    NextAction,
    ProviderPayment,
    ProviderRefund,
    Status,
)
from bridge.models.refund import Refund
from tests import records

AT = datetime(2025, 1, 15, 10, 30, tzinfo=UTC)
UNTIL = 1_000
EARLY, LATE = UNTIL, UNTIL + 1
OPEN = Dispute(id="dp_1", state="open")
STATUSES: tuple[Status, ...] = get_args(Status)
ILLEGAL = [
    (before, after)
    for before in STATUSES
    for after in STATUSES
    if before != after != "new" and not state_machine.may_move(before, after)
]


def attempt(**more: Any) -> ActiveAttempt:
    return records.attempt(**{"until": UNTIL} | more)


def payment(**more: Any) -> Payment:
    return records.payment(AT, **{"provider_payment_id": "pi_1", "is_open": True} | more)


def provider_payment(status: Status | None, **more: Any) -> ProviderPayment:
    known: dict[str, Any] = {
        "provider_payment_id": "pi_1",
        "raw_status": str(status),
        "currency": "USD",
    }
    return ProviderPayment(**known | {"status": status, "total_cents": 2000} | more)


def merged_with(
    ours: Payment,
    provider_state: ProviderPayment | None,
    now: int = EARLY,
    own_outcome: AttemptOutcome | None = None,
    known: Sequence[Refund] = (),
) -> merge.Merged:
    at = datetime.fromtimestamp(now, UTC)
    return merge.merge(ours, provider_state, known, at, own_outcome, single_capture=True)


def merge_state(
    ours: Payment,
    provider_state: ProviderPayment | None,
    now: int = EARLY,
    own_outcome: AttemptOutcome | None = None,
) -> tuple[Payment, AttemptOutcome | None]:
    found = merged_with(ours, provider_state, now, own_outcome)
    return found.payment, found.outcome


CONFIRM = {"operation": "confirm"}
USD_2000 = {"total_cents": 2000, "currency": "USD"}
NEW_AMOUNT = {
    "operation": "update",
    "pending_changes": {"total_cents": 3000},
    "before": {"total_cents": 2000},
}
SAME_AMOUNT = {"operation": "update", "pending_changes": USD_2000, "before": USD_2000}
NEW_USAGE = {
    "operation": "update",
    "pending_changes": {"setup_future_usage": "off_session", "description": "x"},
    "before": {"setup_future_usage": None},
}
NEW_DESCRIPTOR = {
    "operation": "update",
    "pending_changes": {"statement_descriptor": "SHOP", "total_cents": 2000},
    "before": {"statement_descriptor": None, "total_cents": 2000},
}
NEW_METHOD = {
    "operation": "update",
    "pending_changes": {"payment_method_id": "pm_card_visa"},
    "before": {"method": "old"},
    "method": "wanted",
}
SAME_METHOD = NEW_METHOD | {"before": {"method": "wanted"}}
ONLY_OURS = {"operation": "update", "pending_changes": {"return_url": "https://shop.test"}}
CANCEL = {"operation": "cancel"}
CAPTURE = {"operation": "capture", "from_status": "requires_capture"}
IN_3DS = {"operation": "confirm", "from_status": "requires_action"}
STATUS_CHECKS: list[tuple[dict[str, Any], ProviderPayment | None, str | None, str | None]] = [
    # the attempt, what a status check finds, its outcome before and after the end of the lease
    ({"operation": "create"}, provider_payment("created"), "done", "done"),
    ({"operation": "create"}, provider_payment(None), "done", "done"),
    ({"operation": "create"}, None, None, None),
    (CONFIRM, provider_payment("succeeded"), "done", "done"),
    (CONFIRM, provider_payment("requires_capture"), "done", "done"),
    (CONFIRM, provider_payment("canceled"), "done", "done"),
    (CONFIRM, provider_payment("requires_action"), None, "done"),
    (CONFIRM, provider_payment("processing"), None, "done"),
    (CONFIRM, provider_payment("failed"), None, "done"),
    (CONFIRM, provider_payment("created", charge_id="ch_2"), None, "done"),
    (CONFIRM, provider_payment("created"), None, "not_sent"),
    (
        CONFIRM | {"seen_charge_id": "ch_1"},
        provider_payment("created", charge_id="ch_1"),
        None,
        "not_sent",
    ),
    (CONFIRM | {"from_status": "failed"}, provider_payment("failed"), None, "not_sent"),
    (IN_3DS, provider_payment("requires_action"), None, "not_sent"),
    (IN_3DS, provider_payment("failed"), None, "done"),
    (CONFIRM, None, None, "not_sent"),
    (NEW_AMOUNT, provider_payment("created", total_cents=3000), "done", "done"),
    (NEW_AMOUNT, provider_payment("created"), None, "not_sent"),
    (SAME_AMOUNT, provider_payment("created"), None, "done"),
    (SAME_AMOUNT, provider_payment("created", currency="EUR"), None, "not_sent"),
    (SAME_AMOUNT, provider_payment("created", total_cents=5), None, "not_sent"),
    (
        SAME_AMOUNT | {"pending_changes": {"currency": "EUR"}},
        provider_payment("created", currency="EUR"),
        "done",
        "done",
    ),
    (NEW_USAGE, provider_payment("created", setup_future_usage="off_session"), "done", "done"),
    (NEW_USAGE, provider_payment("created"), None, "not_sent"),
    (NEW_DESCRIPTOR, provider_payment("created", statement_descriptor="SHOP"), "done", "done"),
    (NEW_DESCRIPTOR, provider_payment("created"), None, "not_sent"),
    (
        NEW_DESCRIPTOR,
        provider_payment("created", statement_descriptor="SHOP", total_cents=5),
        None,
        "not_sent",
    ),
    (NEW_METHOD, provider_payment("created", method="wanted"), "done", "done"),
    (NEW_METHOD, provider_payment("created", method="what an alias became"), "done", "done"),
    (NEW_METHOD, provider_payment("created", method="old"), None, "not_sent"),
    (NEW_METHOD, provider_payment("created"), None, "not_sent"),
    (SAME_METHOD, provider_payment("created", method="wanted"), None, "done"),
    (ONLY_OURS, provider_payment("created"), None, "done"),
    (CANCEL, provider_payment("canceled"), "done", "done"),
    (CANCEL, provider_payment("created"), None, "not_sent"),
    (CANCEL, provider_payment("succeeded"), None, "not_sent"),
    (CAPTURE, provider_payment("succeeded", captured_cents=1), "done", "done"),
    (CAPTURE, provider_payment("processing"), None, "done"),
    (CAPTURE, provider_payment("requires_capture"), None, "not_sent"),
]


@pytest.mark.parametrize(("fields", "provider_state", "early", "late"), STATUS_CHECKS)
def test_status_check_ends_attempt_only_if_it_proves_the_outcome(
    fields: dict[str, Any],
    provider_state: ProviderPayment | None,
    early: str | None,
    late: str | None,
) -> None:
    """The table of section 5: proved at once, or only after the lease (rule 12), or not sent."""
    locked = payment(active_attempt=attempt(**fields), status=fields.get("from_status", "created"))
    for now, expected in ((EARLY, early), (LATE, late)):
        merged, outcome = merge_state(locked, provider_state, now)
        assert (outcome and outcome.kind) == expected
        assert (merged.active_attempt is None) == (expected is not None)


@pytest.mark.parametrize("status", ["requires_action", "processing", "failed"])
def test_rule12_status_check_with_changed_state_is_stored_and_keeps_the_lock(
    status: Status,
) -> None:
    locked = payment(active_attempt=attempt())
    merged, outcome = merge_state(locked, provider_payment(status))
    assert (merged.status, merged.active_attempt, outcome) == (status, locked.active_attempt, None)


@pytest.mark.parametrize("status", [*STATUSES[1:], None])
def test_own_outcome_ends_attempt_with_any_provider_state(status: Status | None) -> None:
    own_outcome = AttemptOutcome(attempt=2, kind="done")
    merged, outcome = merge_state(
        payment(active_attempt=attempt()), provider_payment(status), own_outcome=own_outcome
    )
    assert outcome == own_outcome
    assert merged.active_attempt is None
    assert merged.status == (status or "created")


def test_outcome_of_another_attempt_keeps_this_attempt_active() -> None:
    locked = payment(active_attempt=attempt())
    merged, outcome = merge_state(
        locked, provider_payment("created"), own_outcome=AttemptOutcome(attempt=1, kind="done")
    )
    assert (merged.active_attempt, outcome) == (locked.active_attempt, None)


def test_outcome_without_active_attempt_is_ignored() -> None:
    merged, outcome = merge_state(
        payment(), provider_payment("succeeded"), own_outcome=AttemptOutcome(attempt=1, kind="done")
    )
    assert (merged.status, outcome) == ("succeeded", None)


REFUSED = AttemptOutcome(attempt=2, kind="refused", failure=Failure(code="bad", message="no"))


def test_refused_attempt_keeps_state_or_takes_the_provider_state() -> None:
    locked = payment(
        active_attempt=attempt(pending_changes={"description": "new"}), status="created"
    )
    merged, outcome = merge_state(locked, None, own_outcome=REFUSED)
    assert outcome == REFUSED
    assert merged == replace(locked, active_attempt=None)
    assert (
        merge_state(locked, provider_payment("canceled"), own_outcome=REFUSED)[0].status
        == "canceled"
    )


def test_refused_creation_becomes_failed_with_its_failure() -> None:
    new = payment(status="new", provider_payment_id=None, is_open=False)
    locked = replace(new, active_attempt=attempt(operation="create", from_status="new"))
    merged, _ = merge_state(locked, None, own_outcome=REFUSED)
    assert (merged.status, merged.failure, merged.active_attempt) == (
        "failed",
        REFUSED.failure,
        None,
    )
    assert not state_machine.can_move(merged.status, is_open=merged.is_open)


@pytest.mark.parametrize(
    ("before", "found", "after", "code"),
    [
        ("created", "created", "failed", "not_sent"),
        ("failed", "created", "failed", "not_sent"),
        ("failed", "failed", "failed", "not_sent"),
        ("requires_action", "requires_action", "requires_action", None),
    ],
)
def test_confirm_not_sent_becomes_failed_only_from_created_or_failed(
    before: Status, found: Status, after: Status, code: str | None
) -> None:
    locked = payment(status=before, active_attempt=attempt(from_status=before))
    merged, _ = merge_state(locked, provider_payment(found), LATE)
    assert (merged.status, merged.failure and merged.failure.code) == (after, code)


@pytest.mark.parametrize("operation", ["update", "cancel"])
def test_update_or_cancel_not_sent_changes_nothing(operation: str) -> None:
    pending = {"description": "new", "total_cents": 3000}
    before = {"total_cents": 2000}
    active = attempt(operation=operation, total_cents=3000, pending_changes=pending, before=before)
    merged, outcome = merge_state(payment(active_attempt=active), provider_payment("created"), LATE)
    assert outcome
    assert outcome.kind == "not_sent"
    assert (merged.status, merged.failure) == ("created", None)
    assert (merged.total_cents, merged.description) == (2000, None)


@pytest.mark.parametrize(("total", "kept"), [(3000, (2800, 300, 100, 3000)), (10, (10, 0, 0, 10))])
def test_rule10_total_of_the_provider_is_stored(total: int, kept: tuple[int, ...]) -> None:
    ours = payment(subtotal_cents=1800, tax_cents=300, discount_cents=100)
    merged, _ = merge_state(ours, provider_payment("created", total_cents=total, currency="EUR"))
    parts = (merged.subtotal_cents, merged.tax_cents, merged.discount_cents, merged.total_cents)
    assert parts == kept
    assert merged.currency == "EUR"


CENTS = st.integers(0, 9999)


@given(CENTS, CENTS, CENTS, st.integers(1, 9999))
def test_rule10_amounts_add_up_for_any_total(
    subtotal: int, tax: int, discount: int, total: int
) -> None:
    ours = payment(
        subtotal_cents=subtotal,
        tax_cents=tax,
        discount_cents=discount,
        total_cents=subtotal + tax - discount,
    )
    merged, _ = merge_state(ours, provider_payment("created", total_cents=total))
    assert merged.total_cents == total
    assert merged.subtotal_cents + merged.tax_cents - merged.discount_cents == total
    assert min(merged.subtotal_cents, merged.tax_cents, merged.discount_cents) >= 0


@pytest.mark.parametrize(("total", "kept"), [(3000, (2700, 3000)), (2500, (2500, 2500))])
def test_done_update_writes_pending_changes_but_keeps_the_providers_total(
    total: int, kept: tuple[int, int]
) -> None:
    amounts = {"subtotal_cents": 2700, "tax_cents": 300, "total_cents": 3000}
    pending = {"description": "new", "tags": "t", "setup_future_usage": "off_session", **amounts}
    active = attempt(operation="update", total_cents=3000, pending_changes=pending)
    done = AttemptOutcome(attempt=2, kind="done")
    merged, _ = merge_state(
        payment(active_attempt=active),
        provider_payment("created", total_cents=total),
        own_outcome=done,
    )
    assert (merged.subtotal_cents, merged.total_cents) == kept
    assert (merged.description, merged.tags) == ("new", "t")
    assert merged.setup_future_usage is None  # the row never claims what the provider has not


@pytest.mark.parametrize(("before", "after"), ILLEGAL)
def test_illegal_transition_keeps_the_state_and_takes_what_moved_money(
    before: Status, after: Status
) -> None:
    provider_state = provider_payment(
        after, captured_cents=2000, refunded_cents=500, dispute=OPEN, charge_id="ch_1"
    )
    merged, _ = merge_state(payment(status=before), provider_state)
    assert merged.status == before
    assert (merged.captured_cents, merged.refunded_cents, merged.refundable_cents) == (
        2000,
        500,
        1500,
    )
    assert (merged.dispute, merged.charge_id) == (OPEN, "ch_1")
    assert merged.is_contradicted


@pytest.mark.parametrize("ours", ["requires_capture", "succeeded", "canceled"])
def test_rule13_older_answer_takes_nothing_away(ours: Status) -> None:
    paid = payment(status=ours, captured_cents=2000, charge_id="ch_1", dispute=OPEN, is_open=False)
    older = provider_payment("created", total_cents=5, currency="EUR", is_open=True)
    kept = replace(paid, refundable_cents=2000, is_contradicted=ours != "canceled")
    assert merge_state(paid, older)[0] == kept


def test_unknown_provider_status_keeps_our_state() -> None:
    merged, _ = merge_state(payment(status="processing"), provider_payment(None, charge_id="ch_1"))
    assert (merged.status, merged.charge_id) == ("processing", "ch_1")
    assert merged.is_contradicted


PAID = payment(status="succeeded", captured_cents=2000, charge_id="ch_1", is_open=False)
BOTH = {"charge_id": "ch_1", "captured_cents": 2000}


def refund(**more: Any) -> Refund:
    known = {"id": "ref_1", "payment_id": "pay_1", "amount_cents": 500, "currency": "USD"}
    known |= {"provider_refund_id": "re_1", "status": "succeeded"}
    return Refund(**{**known, "created_at": AT, "updated_at": AT, **more})


def provider_refund(**more: Any) -> ProviderRefund:
    known = {"provider_refund_id": "re_1", "refund_id": "ref_1", "amount_cents": 500}
    known |= {"currency": "USD", "status": "succeeded"}
    return ProviderRefund(**{**known, "created_at": AT, **more})


def test_rule13_answer_without_dispute_refunds_or_charge_changes_nothing_of_them() -> None:
    ours = replace(PAID, dispute=OPEN, refunded_cents=500, refundable_cents=1500)
    merged, _ = merge_state(ours, provider_payment("succeeded", captured_cents=2000))
    assert merged == ours


@pytest.mark.parametrize(
    ("in_charge", "in_list", "expected", "is_contradicted"),
    [
        (500, (provider_refund(),), 500, False),
        (500, (), 500, False),  # the list lags behind our row
        (900, (provider_refund(),), 900, True),  # the list lags behind the charge
        (0, (provider_refund(),), 500, True),  # the charge lags behind the list
        (0, (), 500, True),  # both are older than our row
        (0, (provider_refund(status="failed"),), 0, False),
        (500, (provider_refund(status="failed"),), 500, True),
        (800, (provider_refund(), provider_refund(provider_refund_id="re_2", refund_id=None,
                                                  amount_cents=300)), 800, False),
    ],
)  # fmt: skip
def test_rule13_figures_that_disagree_lower_nothing_and_are_asked_again(
    in_charge: int,
    in_list: tuple[ProviderRefund, ...],
    expected: int,
    is_contradicted: bool,
) -> None:
    ours = replace(PAID, refunded_cents=500)
    provider_state = provider_payment("succeeded", **BOTH, refunded_cents=in_charge)
    provider_state = replace(provider_state, refunds=in_list)
    merged = merged_with(ours, provider_state, known=[refund()]).payment
    assert (merged.refunded_cents, merged.is_contradicted) == (expected, is_contradicted)
    assert merged.refundable_cents == 2000 - expected


@pytest.mark.parametrize(("known", "reported"), [("succeeded", "pending"), ("failed", "succeeded")])
def test_rule13_refund_never_goes_back_to_an_earlier_status(known: Any, reported: Any) -> None:
    row = refund(status=known)
    provider_state = provider_payment("succeeded", **BOTH, refunded_cents=500)
    provider_state = replace(provider_state, refunds=(provider_refund(status=reported),))
    assert merged_with(PAID, provider_state, known=[row]).refunds == []


def test_rule13_only_a_status_check_takes_a_contradiction_away() -> None:
    ours = replace(PAID, is_contradicted=True)
    own_answer = provider_payment("succeeded", **BOTH, refunded_cents=0)
    assert merge_state(ours, own_answer)[0].is_contradicted
    assert not merge_state(ours, replace(own_answer, refunds=()))[0].is_contradicted


def test_rule13_dispute_that_is_not_listed_yet_is_asked_again() -> None:
    provider_state = provider_payment("succeeded", **BOTH, is_disputed=True)
    provider_state = replace(provider_state, refunds=())
    assert merge_state(PAID, provider_state)[0].is_contradicted
    assert not merge_state(PAID, replace(provider_state, dispute=OPEN))[0].is_contradicted


ASKED = refund(provider_refund_id=None, status="pending")
ASKING = replace(
    PAID,
    active_attempt=attempt(operation="refund", refund=ASKED),
    refundable_cents=1500,
    refunds_pending=1,
)


def test_answer_of_our_own_refund_agrees_with_the_charge_or_is_asked_again() -> None:
    locked = replace(ASKING, refunded_cents=100)
    done = AttemptOutcome(attempt=2, kind="done")
    for in_charge, is_contradicted in ((600, False), (900, True), (500, True)):
        answer = provider_payment("succeeded", **BOTH, refunded_cents=in_charge)
        answer = replace(answer, refund=provider_refund())
        found = merged_with(locked, answer, own_outcome=done, known=[ASKED])
        assert found.payment.refunded_cents == max(600, in_charge)
        assert found.payment.is_contradicted is is_contradicted
        assert [each.status for each in found.refunds] == ["succeeded"]
        assert found.payment.refunds_pending == 0


@pytest.mark.parametrize("now", [EARLY, LATE])
def test_refund_is_proved_by_our_refund_id_in_the_list(now: int) -> None:
    given = provider_payment("succeeded", **BOTH, refunded_cents=500)
    found = merged_with(ASKING, replace(given, refunds=(provider_refund(),)), now, known=[ASKED])
    assert found.outcome == AttemptOutcome(attempt=2, kind="done")
    assert [each.provider_refund_id for each in found.refunds] == ["re_1"]
    merged = found.payment
    assert (merged.refunded_cents, merged.refundable_cents, merged.refunds_pending) == (
        500,
        1500,
        0,
    )


def test_refund_that_is_not_listed_keeps_its_amount_reserved_until_the_lease_is_over() -> None:
    other = provider_refund(provider_refund_id="re_2", refund_id=None, amount_cents=300)
    state = replace(provider_payment("succeeded", **BOTH, refunded_cents=300), refunds=(other,))
    early = merged_with(ASKING, state, EARLY, known=[ASKED])
    assert (early.outcome, early.payment.refundable_cents) == (None, 1200)
    late = merged_with(ASKING, state, LATE, known=[ASKED])
    assert late.outcome
    assert (late.outcome.kind, late.payment.refundable_cents) == ("not_sent", 1700)


@pytest.mark.parametrize(
    ("provider_state", "own_outcome"),
    [(None, REFUSED), (replace(provider_payment("succeeded", **BOTH), refunds=()), None)],
    ids=["refused", "not sent"],
)
def test_refund_that_was_not_made_becomes_failed_and_is_not_pending_any_more(
    provider_state: ProviderPayment | None, own_outcome: AttemptOutcome | None
) -> None:
    found = merged_with(ASKING, provider_state, LATE, own_outcome, known=[ASKED])
    at = datetime.fromtimestamp(LATE, UTC)
    assert found.refunds == [replace(ASKED, status="failed", updated_at=at)]
    merged = found.payment
    assert (merged.refunded_cents, merged.refundable_cents, merged.refunds_pending) == (0, 2000, 0)


def test_statement_descriptor_is_the_providers_unless_the_payment_is_hidden() -> None:
    state = provider_payment("created", statement_descriptor="JANE DOE")
    assert merge_state(payment(), state)[0].statement_descriptor == "JANE DOE"
    assert merge_state(payment(is_hidden=True), state)[0].statement_descriptor is None


def test_creation_that_was_not_sent_is_followed_by_the_next_attempt() -> None:
    """Rule 17: the lock stays, with another number and key."""
    active = attempt(operation="create", from_status="new")
    new = payment(status="new", provider_payment_id=None, active_attempt=active, attempts=2)
    following = replace(active, number=3, key="k.3")
    ended = AttemptOutcome(attempt=2, kind="not_sent", next_attempt=following)
    merged, outcome = merge_state(new, None, LATE, ended)
    assert outcome == ended
    assert merged == replace(new, active_attempt=following, attempts=3)


def test_refundable_cents_are_never_below_zero() -> None:
    provider_state = provider_payment("succeeded", captured_cents=100, refunded_cents=300)
    assert merge_state(payment(), provider_state)[0].refundable_cents == 0


def test_charge_id_stays_if_the_provider_reports_none() -> None:
    assert (
        merge_state(payment(charge_id="ch_1"), provider_payment("created"))[0].charge_id == "ch_1"
    )


def test_b13_completed_at_is_the_charge_time_and_set_once() -> None:
    later = AT.replace(hour=12)
    first, _ = merge_state(payment(), provider_payment("succeeded", charged_at=AT))
    assert first.completed_at == AT
    assert merge_state(first, provider_payment("succeeded", charged_at=later))[0].completed_at == AT
    assert merge_state(payment(), provider_payment("failed", charged_at=AT))[0].completed_at is None


def test_failure_stays_while_failed_and_is_removed_by_any_other_state() -> None:
    failed = payment(status="failed", failure=Failure(code="declined", message="no"))
    assert merge_state(failed, provider_payment("created"))[0].failure == failed.failure
    again = Failure(code="again", message="no")
    assert merge_state(failed, provider_payment("failed", failure=again))[0].failure == again
    for status in ("requires_action", "processing", "succeeded", "canceled"):
        assert merge_state(failed, provider_payment(status, failure=again))[0].failure is None


@pytest.mark.parametrize("status", ["succeeded", "canceled", "processing"])
def test_b15_final_payment_loses_secret_and_next_action(status: Status) -> None:
    waiting = payment(client_secret="secret", next_action=NextAction(type="use_client_secret"))
    action = NextAction(type="redirect", url="https://example.com")
    provider_state = provider_payment(status, client_secret="other", next_action=action)
    merged, _ = merge_state(waiting, provider_state)
    kept = (None, None) if status != "processing" else ("secret", action)
    assert (merged.client_secret, merged.next_action) == kept


def test_b15_secret_is_taken_with_the_providers_id() -> None:
    new = payment(status="new", provider_payment_id=None)
    merged, _ = merge_state(new, provider_payment("created", client_secret="secret"))
    assert (merged.provider_payment_id, merged.client_secret) == ("pi_1", "secret")


def test_no_provider_state_changes_nothing() -> None:
    ours = payment(active_attempt=attempt())
    assert merge_state(ours, None) == (ours, None)
