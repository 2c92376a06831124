"""The timeline of a payment: what makes an entry, and the hash chain over the entries.

Each entry contains the hash of the one before, and the row has the hash of the last one. So a
change of history is noticed. The timeline is also the outbox: each entry is an event.

Source: docs/payment-correctness.md, sections 1 and 4.
"""

import hashlib
from collections.abc import Sequence

import rfc8785
from msgspec.structs import replace

from bridge.models import field_rules
from bridge.models.payment import AttemptOutcome, Entry, Payment
from bridge.models.run_context import Cause

FACTS = field_rules.fields_with(Payment, is_fact=True)


def differ(before: Payment, after: Payment) -> bool:
    """Whether a fact changed. Only then the timeline gets an entry."""
    return any(getattr(before, name) != getattr(after, name) for name in FACTS)


def entry_of(
    before: Payment, after: Payment, outcome: AttemptOutcome | None, cause: Cause
) -> Entry:
    """The entry for a change from `before` to `after`, chained to the last entry of `before`.

    `outcome` is how the attempt of `before` ended, if it did. `cause` is the kind of run.
    """
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
    return replace(entry, hash=hash_of(entry))


def hash_of(entry: Entry) -> str:
    """SHA-256 over RFC 8785 JSON of the entry, by the names that callers see, without `hash`."""
    body = entry.displayed
    del body["hash"]
    return hashlib.sha256(rfc8785.dumps(body)).hexdigest()


def find_break(timeline: Sequence[Entry | None], payment: Payment) -> int | None:
    """The place (from 1) where the chain of hashes breaks, or None if it is whole.

    Each entry must have its own hash, the hash of the entry before it and the next number. The
    last entry must be the one that the row names. An entry that cannot be read is None.
    """
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
