"""The merge as a pure function. Source: design/convergence.md, sections 2, 3 and 5."""

from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from hypothesis import given, strategies as st

from bridge.core.payment_state import merge, state_machine
from bridge.models.payment import ActiveAttempt, AttemptOutcome, Payment
from bridge.models.provider import Dispute, Failure, NextAction, ProviderPayment, Status

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
    known = {"number": 2, "operation": "confirm", "key": "1.2", "request_hash": "h"}
    times = {"at": 0, "until": UNTIL, "from_status": "created"}
    return ActiveAttempt(**known | times | {"total_cents": 2000, "was_cents": 2000} | more)


def payment(**more: Any) -> Payment:
    amounts = {"subtotal_cents": 2000, "tax_cents": 0, "discount_cents": 0, "total_cents": 2000}
    known = {"id": "pay_1", "uid": "1", "currency": "USD", "provider_id": "stripe"}
    times = {"changed_at": AT, "created_at": AT, "updated_at": AT}
    there = {"status": "created", "provider_payment_id": "pi_1", "is_open": True}
    return Payment(**known | times | amounts | there | more)


def shown(status: Status | None, **more: Any) -> ProviderPayment:
    known = {"provider_payment_id": "pi_1", "raw_status": str(status), "currency": "USD"}
    return ProviderPayment(**known | {"status": status, "total_cents": 2000} | more)


def merged_by_check(
    ours: Payment,
    theirs: ProviderPayment | None,
    now: int = EARLY,
    mine: AttemptOutcome | None = None,
) -> tuple[Payment, AttemptOutcome | None]:
    return merge.merge(ours, theirs, now, mine, single_capture=True)


CONFIRM = {"operation": "confirm"}
RENEWED = {"operation": "update", "total_cents": 3000}
SAME = {"operation": "update"}
CANCEL = {"operation": "cancel"}
IN_3DS = {"operation": "confirm", "from_status": "requires_action"}
STATUS_CHECKS: list[tuple[dict[str, Any], ProviderPayment | None, str | None, str | None]] = [
    # the attempt, what a look shows, how it ends before and after the lease's end
    ({"operation": "create"}, shown("created"), "done", "done"),
    ({"operation": "create"}, shown(None), "done", "done"),
    ({"operation": "create"}, None, None, None),
    (CONFIRM, shown("succeeded"), "done", "done"),
    (CONFIRM, shown("requires_capture"), "done", "done"),
    (CONFIRM, shown("canceled"), "done", "done"),
    (CONFIRM, shown("requires_action"), None, "done"),
    (CONFIRM, shown("processing"), None, "done"),
    (CONFIRM, shown("failed"), None, "done"),
    (CONFIRM, shown("created", charge_id="ch_2"), None, "done"),
    (CONFIRM, shown("created"), None, "not_sent"),
    (CONFIRM | {"seen_charge_id": "ch_1"}, shown("created", charge_id="ch_1"), None, "not_sent"),
    (CONFIRM | {"from_status": "failed"}, shown("failed"), None, "not_sent"),
    (IN_3DS, shown("requires_action"), None, "not_sent"),
    (IN_3DS, shown("failed"), None, "done"),
    (CONFIRM, None, None, "not_sent"),
    (RENEWED, shown("created", total_cents=3000), "done", "done"),
    (RENEWED, shown("created"), None, "not_sent"),
    (SAME, shown("created"), None, "done"),
    (SAME, shown("created", currency="EUR"), None, "not_sent"),
    (SAME, shown("created", total_cents=5), None, "not_sent"),
    (
        SAME | {"pending_changes": {"currency": "EUR"}},
        shown("created", currency="EUR"),
        "done",
        "done",
    ),
    (CANCEL, shown("canceled"), "done", "done"),
    (CANCEL, shown("created"), None, "not_sent"),
    (CANCEL, shown("succeeded"), None, "not_sent"),
]


@pytest.mark.parametrize(("fields", "provider_state", "early", "late"), STATUS_CHECKS)
def test_a_look_ends_an_attempt_only_where_it_proves_how_it_ended(
    fields: dict[str, Any],
    provider_state: ProviderPayment | None,
    early: str | None,
    late: str | None,
) -> None:
    """Section 5's table: shown at once, or only after the lease (rule 12), or not sent."""
    locked = payment(active_attempt=attempt(**fields), status=fields.get("from_status", "created"))
    for now, expected in ((EARLY, early), (LATE, late)):
        merged, ending = merged_by_check(locked, provider_state, now)
        assert (ending and ending.kind) == expected
        assert (merged.active_attempt is None) == (expected is not None)


@pytest.mark.parametrize("status", ["requires_action", "processing", "failed"])
def test_rule_12_a_look_that_shows_a_change_is_stored_and_leaves_the_lock(status: Status) -> None:
    locked = payment(active_attempt=attempt())
    merged, ending = merged_by_check(locked, shown(status))
    assert (merged.status, merged.active_attempt, ending) == (status, locked.active_attempt, None)


@pytest.mark.parametrize("status", [*STATUSES[1:], None])
def test_its_own_worker_ends_it_whatever_the_state_in_the_answer(status: Status | None) -> None:
    mine = AttemptOutcome(attempt=2, kind="done")
    merged, ending = merged_by_check(payment(active_attempt=attempt()), shown(status), mine=mine)
    assert ending == mine
    assert merged.active_attempt is None
    assert merged.status == (status or "created")


def test_how_another_attempt_ended_says_nothing_of_this_one() -> None:
    locked = payment(active_attempt=attempt())
    merged, ending = merged_by_check(
        locked, shown("created"), mine=AttemptOutcome(attempt=1, kind="done")
    )
    assert (merged.active_attempt, ending) == (locked.active_attempt, None)


def test_without_an_attempt_nothing_ends() -> None:
    merged, ending = merged_by_check(
        payment(), shown("succeeded"), mine=AttemptOutcome(attempt=1, kind="done")
    )
    assert (merged.status, ending) == ("succeeded", None)


REFUSED = AttemptOutcome(attempt=2, kind="refused", failure=Failure(code="bad", message="no"))


def test_a_refusal_leaves_the_state_before_it_or_takes_the_one_in_the_answer() -> None:
    locked = payment(
        active_attempt=attempt(pending_changes={"description": "new"}), status="created"
    )
    merged, ending = merged_by_check(locked, None, mine=REFUSED)
    assert ending == REFUSED
    assert merged == locked.model_copy(update={"active_attempt": None})
    assert merged_by_check(locked, shown("canceled"), mine=REFUSED)[0].status == "canceled"


def test_a_refused_creation_stays_failed_and_says_why() -> None:
    new = payment(status="new", provider_payment_id=None, is_open=False)
    locked = new.model_copy(
        update={"active_attempt": attempt(operation="create", from_status="new")}
    )
    merged, _ = merged_by_check(locked, None, mine=REFUSED)
    assert (merged.status, merged.failure, merged.active_attempt) == (
        "failed",
        REFUSED.failure,
        None,
    )
    assert not state_machine.can_move(merged.status, is_open=merged.is_open)


@pytest.mark.parametrize(
    ("before", "look", "after", "code"),
    [
        ("created", "created", "failed", "not_sent"),
        ("failed", "created", "failed", "not_sent"),
        ("failed", "failed", "failed", "not_sent"),
        ("requires_action", "requires_action", "requires_action", None),
    ],
)
def test_a_confirm_that_was_not_sent_fails_only_an_object_that_waits(
    before: Status, look: Status, after: Status, code: str | None
) -> None:
    locked = payment(status=before, active_attempt=attempt(from_status=before))
    merged, _ = merged_by_check(locked, shown(look), LATE)
    assert (merged.status, merged.failure and merged.failure.code) == (after, code)


@pytest.mark.parametrize("operation", ["update", "cancel"])
def test_another_call_that_was_not_sent_changes_nothing(operation: str) -> None:
    wanted = {"description": "new", "total_cents": 3000}
    live = attempt(operation=operation, total_cents=3000, pending_changes=wanted)
    merged, ending = merged_by_check(payment(active_attempt=live), shown("created"), LATE)
    assert ending
    assert ending.kind == "not_sent"
    assert (merged.status, merged.failure) == ("created", None)
    assert (merged.total_cents, merged.description) == (2000, None)


@pytest.mark.parametrize(("total", "kept"), [(3000, (2800, 300, 100, 3000)), (10, (10, 0, 0, 10))])
def test_rule_10_the_providers_amount_is_the_amount(total: int, kept: tuple[int, ...]) -> None:
    ours = payment(subtotal_cents=1800, tax_cents=300, discount_cents=100)
    merged, _ = merged_by_check(ours, shown("created", total_cents=total, currency="EUR"))
    parts = (merged.subtotal_cents, merged.tax_cents, merged.discount_cents, merged.total_cents)
    assert parts == kept
    assert merged.currency == "EUR"


CENTS = st.integers(0, 9999)


@given(CENTS, CENTS, CENTS, st.integers(1, 9999))
def test_rule_10_whatever_the_amount_its_parts_add_up(
    subtotal: int, tax: int, discount: int, total: int
) -> None:
    ours = payment(
        subtotal_cents=subtotal,
        tax_cents=tax,
        discount_cents=discount,
        total_cents=subtotal + tax - discount,
    )
    merged, _ = merged_by_check(ours, shown("created", total_cents=total))
    assert merged.total_cents == total
    assert merged.subtotal_cents + merged.tax_cents - merged.discount_cents == total
    assert min(merged.subtotal_cents, merged.tax_cents, merged.discount_cents) >= 0


@pytest.mark.parametrize(("total", "kept"), [(3000, (2700, 3000)), (2500, (2500, 2500))])
def test_a_done_update_takes_what_it_wanted_but_never_another_amount(
    total: int, kept: tuple[int, int]
) -> None:
    amounts = {"subtotal_cents": 2700, "tax_cents": 300, "total_cents": 3000}
    wanted = {"description": "new", "tags": "t", **amounts}
    live = attempt(operation="update", total_cents=3000, pending_changes=wanted)
    done = AttemptOutcome(attempt=2, kind="done")
    merged, _ = merged_by_check(
        payment(active_attempt=live), shown("created", total_cents=total), mine=done
    )
    assert (merged.subtotal_cents, merged.total_cents) == kept
    assert (merged.description, merged.tags) == ("new", "t")


@pytest.mark.parametrize(("before", "after"), ILLEGAL)
def test_a_move_that_is_not_in_the_table_keeps_the_state_and_takes_the_amounts(
    before: Status, after: Status
) -> None:
    look = shown(after, captured_cents=2000, refunded_cents=500, dispute=OPEN)
    merged, _ = merged_by_check(payment(status=before), look)
    assert merged.status == before
    assert (merged.captured_cents, merged.refunded_cents, merged.refundable_cents) == (
        2000,
        500,
        1500,
    )
    assert merged.dispute == OPEN


def test_a_word_we_do_not_know_keeps_our_state() -> None:
    merged, _ = merged_by_check(payment(status="processing"), shown(None, charge_id="ch_1"))
    assert (merged.status, merged.charge_id) == ("processing", "ch_1")


def test_what_is_left_to_refund_is_never_below_zero() -> None:
    look = shown("succeeded", captured_cents=100, refunded_cents=300)
    assert merged_by_check(payment(), look)[0].refundable_cents == 0


def test_a_charge_once_seen_is_not_forgotten() -> None:
    assert merged_by_check(payment(charge_id="ch_1"), shown("created"))[0].charge_id == "ch_1"


def test_b13_completed_is_the_time_of_the_charge_set_once() -> None:
    later = AT.replace(hour=12)
    first, _ = merged_by_check(payment(), shown("succeeded", charged_at=AT))
    assert first.completed_at == AT
    assert merged_by_check(first, shown("succeeded", charged_at=later))[0].completed_at == AT
    assert merged_by_check(payment(), shown("failed", charged_at=AT))[0].completed_at is None


def test_a_failure_is_kept_while_failed_and_cleared_by_any_other_state() -> None:
    failed = payment(status="failed", failure=Failure(code="declined", message="no"))
    assert merged_by_check(failed, shown("created"))[0].failure == failed.failure
    again = Failure(code="again", message="no")
    assert merged_by_check(failed, shown("failed", failure=again))[0].failure == again
    for status in ("requires_action", "processing", "succeeded", "canceled"):
        assert merged_by_check(failed, shown(status, failure=again))[0].failure is None


@pytest.mark.parametrize("status", ["succeeded", "canceled", "processing"])
def test_b15_the_secret_goes_as_soon_as_the_payment_is_final(status: Status) -> None:
    waiting = payment(client_secret="secret", next_action=NextAction(type="use_client_secret"))
    action = NextAction(type="redirect", url="https://example.com")
    look = shown(status, client_secret="other", next_action=action)
    merged, _ = merged_by_check(waiting, look)
    kept = (None, None) if status != "processing" else ("secret", action)
    assert (merged.client_secret, merged.next_action) == kept


def test_b15_the_secret_is_taken_when_the_object_is_first_known() -> None:
    new = payment(status="new", provider_payment_id=None)
    merged, _ = merged_by_check(new, shown("created", client_secret="secret"))
    assert (merged.provider_payment_id, merged.client_secret) == ("pi_1", "secret")


def test_what_the_provider_does_not_show_changes_nothing() -> None:
    ours = payment(active_attempt=attempt())
    assert merged_by_check(ours, None) == (ours, None)
