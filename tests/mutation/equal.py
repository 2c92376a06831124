"""Mutants that no test can notice, because the changed code does the same; each with the reason.

An entry names its mutant by module, function and changed lines, so it moves with the code.
"""

from typing import NamedTuple


class Equal(NamedTuple):
    module: str
    place: str
    before: str
    after: str
    reason: str


AMOUNTS = "core/payments/amounts.py"
MERGE = "core/payment_state/merge.py"
OPERATIONS = "core/payments/operations.py"
STRIPE_OBJECTS = "providers/stripe_objects.py"

EQUAL: tuple[Equal, ...] = (
    Equal(
        AMOUNTS,
        "_balanced",
        "subtotal = (total or 0) - tax + discount",
        "subtotal = (total or 1) - tax + discount",
        "Without a subtotal there is a total, of at least 1. The 0 is for the type checker only.",
    ),
    Equal(
        MERGE,
        "",
        "class Merged(Struct, frozen=True):",
        "class Merged(Struct, frozen=False):",
        "No code changes a result of the merge. `frozen` lets mypy check that.",
    ),
    Equal(
        MERGE,
        "_made_at_provider",
        "updated_at=reported.created_at,",
        "updated_at=None,",
        "The refund is new, so `changed_refunds` sets `updated_at` to now.",
    ),
    Equal(
        MERGE,
        "_with_outcome",
        'changes |= {"active_attempt": outcome.next_attempt, '
        '"attempts": outcome.next_attempt.number}',
        'changes = {"active_attempt": outcome.next_attempt, '
        '"attempts": outcome.next_attempt.number}',
        "What `changes` had, the active attempt, is in the new one too.",
    ),
    Equal(
        OPERATIONS,
        "plan_capture.starts",
        "if (request.amount_cents or 0) > payment.total_cents:",
        "if (request.amount_cents or 1) > payment.total_cents:",
        "The total of a payment is at least 1.",
    ),
    Equal(
        STRIPE_OBJECTS,
        "read_payment",
        'captured_cents=from_units(getattr(intent, "amount_received", 0) or 0, currency),',
        'captured_cents=from_units(getattr(intent, "amount_received", None) or 0, currency),',
        "`or 0` makes 0 of both.",
    ),
    Equal(
        STRIPE_OBJECTS,
        "write_customer",
        'email, name, phone = customer.email or "", customer.name or "", customer.phone or ""',
        'email, name, phone = customer.email or "XXXX", customer.name or "", customer.phone or ""',
        "Neither text is an e-mail address, so none is sent.",
    ),
)
