"""Stored records as tests need them: valid, and with only the fields that a test is about."""

from datetime import UTC, datetime

import msgspec

from bridge.models.identifier import suffix
from bridge.models.payment import ActiveAttempt, Payment

AT = datetime(2025, 1, 15, 10, 30, tzinfo=UTC)


def payment(at: datetime = AT, **more: object) -> Payment:
    """A payment of 20.00 USD at Stripe, `created` if `more` does not say otherwise."""
    known = {"id": "pay_1", "status": "created", "currency": "USD", "provider_id": "stripe"} | more
    amounts = {"subtotal_cents": 2000, "tax_cents": 0, "discount_cents": 0, "total_cents": 2000}
    times = dict.fromkeys(("changed_at", "created_at", "updated_at"), at)
    return msgspec.convert({"uid": suffix(str(known["id"]))} | amounts | times | known, Payment)


def attempt(**more: object) -> ActiveAttempt:
    """An active attempt to confirm it, locked at second 0 for 90 seconds."""
    known = {"number": 2, "operation": "confirm", "key": "1.2", "request_hash": "h"}
    lease = {"at": 0, "until": 90, "from_status": "created", "total_cents": 2000}
    return msgspec.convert(known | lease | more, ActiveAttempt)
