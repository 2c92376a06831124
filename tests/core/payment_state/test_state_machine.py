"""The state machine, compared with the tables of its page.

Source: docs/payment-correctness.md, section 2.
"""

from typing import get_args

import pytest

from bridge.core.payment_state import state_machine
from bridge.models.payment import Operation
from bridge.models.provider import Status

MOVES = """
| from \\ to | created | requires_action | processing | requires_capture | succeeded | failed | canceled |
| new | x | x | x | x | x | x | x |
| created | | x | x | x | x | x | x |
| requires_action | x | | x | x | x | x | x |
| processing | | x | | x | x | x | x |
| requires_capture | | | x | | x | x | x |
| failed | | x | x | x | x | | x |
| canceled | | | | | x (alarm) | | |
| succeeded | | | | | | | |
"""  # noqa: E501 - the table of the page
CALLS = """
confirm: created, failed; single: requires_action
update: created, failed; single: requires_action
cancel: created, requires_action, failed, requires_capture
capture: requires_capture
refund: succeeded
"""
STATUSES: tuple[Status, ...] = get_args(Status)
EXPECTED: list[tuple[Status, Status]] = [
    ("failed", "created"),
    ("canceled", "created"),
    ("canceled", "failed"),
]


def cells() -> list[tuple[Status, Status, bool]]:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in MOVES.split("\n")[1:-1]
    ]
    columns = rows[0][1:]
    return [
        (row[0], column, cell.startswith("x"))  # type: ignore[misc]
        for row in rows[1:]
        for column, cell in zip(columns, row[1:], strict=True)
    ]


def calls() -> list[tuple[Operation, set[str], set[str]]]:
    found = []
    for line in CALLS.strip().split("\n"):
        operation, _, rest = line.partition(": ")
        always, _, single = rest.partition("; single: ")
        found.append((operation, set(always.split(", ")), set(filter(None, single.split(", ")))))
    return found  # type: ignore[return-value]


@pytest.mark.parametrize(("before", "after", "allowed"), cells())
def test_b13_may_move_follows_the_table(before: Status, after: Status, *, allowed: bool) -> None:
    assert state_machine.may_move(before, after) == allowed


def test_b13_table_has_every_state_and_none_becomes_new() -> None:
    assert {before for before, _, _ in cells()} == set(STATUSES) == state_machine.MOVES.keys()
    assert not any(state_machine.may_move(before, "new") for before in STATUSES)


@pytest.mark.parametrize("before", [each for each in STATUSES if each != "succeeded"])
def test_succeeded_is_taken_from_every_state(before: Status) -> None:
    assert state_machine.may_move(before, "succeeded")


def test_expected_transitions_are_these_three_and_none_is_allowed() -> None:
    assert set(EXPECTED) == state_machine.EXPECTED
    assert not any(state_machine.may_move(*move) for move in EXPECTED)


@pytest.mark.parametrize(("ours", "reported", "allowed"), cells())
def test_provider_may_report_our_own_state_an_allowed_or_an_expected_one(
    ours: Status, reported: Status, *, allowed: bool
) -> None:
    fits = ours == reported or allowed or (ours, reported) in EXPECTED
    assert state_machine.may_report(ours, reported) == fits
    assert not state_machine.may_report(ours, None)


@pytest.mark.parametrize(("operation", "always", "single"), calls())
@pytest.mark.parametrize("status", STATUSES)
def test_may_start_follows_the_table(
    operation: Operation, always: set[str], single: set[str], status: Status
) -> None:
    starts = [
        state_machine.may_start(operation, status, single_capture=each) for each in (False, True)
    ]
    assert starts == [status in always, status in always | single]


def test_confirmed_states_are_those_in_which_a_charge_has_or_can_succeed() -> None:
    """B13. `succeeded` is also displayed as partially refunded or disputed."""
    expected = {"processing", "requires_capture", "succeeded", "requires_action"}
    assert expected == state_machine.CONFIRMED
    assert "canceled" not in state_machine.CONFIRMED


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("is_open", [True, False])
def test_rule8_can_move_is_false_only_at_rest(status: Status, *, is_open: bool) -> None:
    at_rest = {"succeeded", "canceled"} | (set() if is_open else {"failed"})
    assert state_machine.can_move(status, is_open=is_open) == (status not in at_rest)
