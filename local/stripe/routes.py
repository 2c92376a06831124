"""Finds the operation for a method and a path. A new module of operations is added here."""

import re

from local.stripe.operations import (
    charges,
    customers,
    disputes,
    events,
    payment_intents,
    payment_methods,
    refunds,
)
from local.stripe.request import Operation

OPERATIONS = (
    *customers.OPERATIONS,
    *payment_methods.OPERATIONS,
    *payment_intents.OPERATIONS,
    *charges.OPERATIONS,
    *refunds.OPERATIONS,
    *disputes.OPERATIONS,
    *events.OPERATIONS,
)


def _pattern(url: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", url))


PATTERNS = [(_pattern(each.url), each) for each in OPERATIONS]


def find(method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
    """Return the operation and the ids in the path, or None."""
    for pattern, operation in PATTERNS:
        match = pattern.fullmatch(f"{method} {path}")
        if match is not None:
            return operation, match.groupdict()
    return None
