"""The state machine of a payment, as data. Source: docs/payment-correctness.md, section 2."""

from bridge.models.payment import Operation
from bridge.models.provider import Status

_ANY: set[Status] = {
    "created",
    "requires_action",
    "processing",
    "requires_capture",
    "succeeded",
    "failed",
    "canceled",
}
# From each state: the states that the provider's answer may set. `succeeded` is taken from every
# state: if money has moved, that is what counts.
MOVES: dict[Status, set[Status]] = {
    "new": _ANY,
    "created": _ANY - {"created"},
    "requires_action": _ANY - {"requires_action"},
    "processing": _ANY - {"created", "processing"},
    "requires_capture": {"processing", "succeeded", "failed", "canceled"},
    "failed": _ANY - {"created", "failed"},
    "canceled": {"succeeded"},
    "succeeded": set(),
}
# Transitions that are not made and not counted as an error: our row knows more than the object.
EXPECTED: set[tuple[Status, Status]] = {
    ("failed", "created"),
    ("canceled", "created"),
    ("canceled", "failed"),
}
# The states in which an operation may start a new attempt. What else must hold, such as the amount
# that is left to refund, is in core/payments/operations.py.
STARTS: dict[Operation, set[Status]] = {
    "confirm": {"created", "failed"},
    "update": {"created", "failed"},
    "cancel": {"created", "requires_action", "failed", "requires_capture"},
    "capture": {"requires_capture"},
    "refund": {"succeeded"},
}
# The states in which a confirm returns the payment as it is, without calling the provider: an
# earlier charge has succeeded or can still succeed.
CONFIRMED: set[Status] = {"processing", "requires_capture", "succeeded", "requires_action"}


def may_move(before: Status, after: Status) -> bool:
    """Whether the provider's state may replace ours."""
    return after in MOVES[before]


def may_report(ours: Status, reported: Status | None) -> bool:
    """Whether the provider's state fits ours: the same, an allowed transition or an expected one.

    None is a status that we do not know.
    """
    return reported is not None and (
        reported == ours or may_move(ours, reported) or (ours, reported) in EXPECTED
    )


def may_start(operation: Operation, status: Status, *, single_capture: bool) -> bool:
    """Whether an operation may start in this state.

    With single capture, confirm and update may also start in `requires_action`: the object can be
    charged only once.
    """
    if status in STARTS[operation]:
        return True
    return single_capture and status == "requires_action" and operation in ("confirm", "update")


def can_move(status: Status, *, is_open: bool) -> bool:
    """Whether the state can still change at the provider. Such a payment stays due (rule 8)."""
    if status == "failed":
        return is_open
    return status not in ("succeeded", "canceled")
