"""The state machine as data. Source: design/convergence.md, section 2."""

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
# What a provider's word may turn our state into; money that moved wins over everything.
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
# Moves that are not made and are no surprise: the provider's object says less than we know.
EXPECTED: set[tuple[Status, Status]] = {
    ("failed", "created"),
    ("canceled", "created"),
    ("canceled", "failed"),
}
# Where a call starts a new attempt.
STARTS: dict[Operation, set[Status]] = {
    "confirm": {"created", "failed"},
    "update": {"created", "failed"},
    "cancel": {"created", "requires_action", "failed", "requires_capture"},
    "capture": {"requires_capture"},
    "refund": {"succeeded"},
}
# Where a confirm is answered with the payment as it is: an earlier charge can still succeed.
CONFIRMED: set[Status] = {"processing", "requires_capture", "succeeded", "requires_action"}


def may_move(before: Status, after: Status) -> bool:
    return after in MOVES[before]


def may_start(operation: Operation, status: Status, *, single_capture: bool) -> bool:
    """Whether an attempt may begin. With single capture a waiting object is still harmless."""
    if status in STARTS[operation]:
        return True
    return single_capture and status == "requires_action" and operation in ("confirm", "update")


def can_move(status: Status, *, is_open: bool) -> bool:
    """Whether somebody else can still change it: then it stays due (rule 8)."""
    if status == "failed":
        return is_open
    return status not in ("succeeded", "canceled")
