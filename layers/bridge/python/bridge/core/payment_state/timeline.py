"""The timeline of a payment: what makes an entry, its events, and the hash chain over the entries.

Each entry contains the hash of the one before, and the row has the hash of the last one. So a
change of history is noticed. The timeline is also the outbox: it has the events for the bus.

Source: docs/payment-correctness.md, sections 1 and 4; docs/api/native.md, section 4.
"""

import hashlib
from collections.abc import Iterable, Sequence

import rfc8785
from msgspec.structs import replace

from bridge.models import field_rules
from bridge.models.payment import (
    AttemptOutcome,
    DisplayedStatus,
    DisputeChange,
    Entry,
    Payment,
    RefundChange,
)
from bridge.models.refund import Refund
from bridge.models.run_context import Cause

FACTS = field_rules.fields_with(Payment, is_fact=True)


def differ(before: Payment, after: Payment) -> bool:
    """Whether a fact changed. Only then the timeline gets an entry."""
    return any(getattr(before, name) != getattr(after, name) for name in FACTS)


def write_entries(
    before: Payment,
    after: Payment,
    refunds: Iterable[Refund],
    outcome: AttemptOutcome | None,
    cause: Cause,
) -> tuple[Payment, list[Entry]]:
    """The entries for a change from `before` to `after`, and `after` with what it says of them.

    The first entry has the change of state and how the attempt of `before` ended (`outcome`).
    `refunds` are those that changed. Each entry tells of one refund or dispute at most, so several
    of them make further entries. `cause` is the kind of run.
    """
    attempt = before.active_attempt if outcome else None
    status = _event_status(before, after)
    changes: list[RefundChange | DisputeChange | None] = [*map(_refund_change, refunds)]
    changes += [dispute] if (dispute := _dispute_change(before, after)) else []
    entries: list[Entry] = []
    for change in changes or [None]:
        is_first = not entries
        entry = Entry(
            sequence=before.sequence + len(entries) + 1,
            at=after.changed_at.replace(microsecond=0),
            from_status=before.status if is_first else after.status,
            to_status=after.status,
            cause=cause,
            operation=attempt.operation if attempt and is_first else None,
            attempt=attempt.number if attempt and is_first else None,
            request_hash=attempt.request_hash if attempt and is_first else None,
            outcome=outcome.kind if outcome and is_first else None,
            event=f"payment.{status}" if status and is_first else None,
            refund=change if isinstance(change, RefundChange) else None,
            dispute=change if isinstance(change, DisputeChange) else None,
            previous_hash=entries[-1].hash if entries else before.last_hash,
        )
        entries.append(replace(entry, hash=hash_of(entry)))
    last = entries[-1]
    announced = status or before.announced
    after = replace(after, sequence=last.sequence, last_hash=last.hash, announced=announced)
    return after, entries


def _event_status(before: Payment, after: Payment) -> DisplayedStatus | None:
    """The status that subscribers must hear of, or None if they know it.

    A payment succeeds once: that a dispute was won or a refund failed, after which `succeeded` is
    displayed again, has an event of its own.
    """
    status = after.displayed_status
    is_again = status == "succeeded" == before.status
    return None if status == before.announced or is_again else status


def _refund_change(refund: Refund) -> RefundChange:
    return RefundChange(
        id=refund.id,
        amount_cents=refund.amount_cents,
        currency=refund.currency,
        status=refund.status,
    )


def _dispute_change(before: Payment, after: Payment) -> DisputeChange | None:
    dispute, known = after.dispute, before.dispute
    if dispute is None or dispute == known:
        return None
    if dispute.state != "open":
        return DisputeChange(id=dispute.id, change=dispute.state)
    is_new = known is None or known.id != dispute.id
    return DisputeChange(id=dispute.id, change="opened" if is_new else "updated")


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
