"""The timeline of a payment: which changes make an entry, and the chain of their hashes.

Source: design/convergence.md, section 1.
"""

import hashlib
from collections.abc import Sequence

import rfc8785

from bridge.models.payment import AttemptOutcome, Entry, Payment
from bridge.models.run_context import Cause

FACTS = (
    "status",
    "total_cents",
    "currency",
    "captured_cents",
    "refunded_cents",
    "provider_payment_id",
    "charge_id",
    "dispute",
)


def differ(before: Payment, after: Payment) -> bool:
    return any(getattr(before, name) != getattr(after, name) for name in FACTS)


def entry_of(
    before: Payment, after: Payment, outcome: AttemptOutcome | None, cause: Cause
) -> Entry:
    attempt = before.active_attempt if outcome else None
    entry = Entry(
        sequence=after.sequence,
        at=after.changed_at.replace(microsecond=0),
        from_status=before.status,
        to_status=after.status,
        cause=cause,
        operation=attempt.operation if attempt else None,
        attempt=attempt.number if attempt else None,
        request_hash=attempt.request_hash if attempt else None,
        outcome=outcome.kind if outcome else None,
        event=f"payment.{after.displayed_status}",
        previous_hash=before.last_hash,
    )
    return entry.model_copy(update={"hash": hash_of(entry)})


def hash_of(entry: Entry) -> str:
    """SHA-256 over RFC 8785 JSON of the entry, as callers see it, without its hash."""
    visible = entry.model_dump(mode="json", by_alias=True, exclude={"hash"})
    return hashlib.sha256(rfc8785.dumps(visible)).hexdigest()


def find_break(timeline: Sequence[Entry | None], payment: Payment) -> int | None:
    """Where the chain breaks: every entry must hash to what it says and follow the one before, and
    the last must be the row's."""
    previous = ""
    for number, entry in enumerate(timeline, start=1):
        if (
            entry is None
            or entry.hash != hash_of(entry)
            or entry.previous_hash != previous
            or entry.sequence != number
        ):
            return number
        previous = entry.hash
    if previous == payment.last_hash and len(timeline) == payment.sequence:
        return None
    return min(len(timeline), payment.sequence) + 1
