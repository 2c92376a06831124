"""What the tests of payments and events in the store share: rows, entries, records."""

import msgspec
from msgspec.structs import replace

from bridge.models.idempotency import IdempotencyRecord
from bridge.models.payment import Entry, Payment
from bridge.store.dedupe import idempotency_items
from bridge.store.payments import payment_items, payment_writes
from tests.store.conftest import DAY, NOW, payment


def record(payment_id: str, **more: object) -> IdempotencyRecord:
    known = {
        "key": idempotency_items.of_payment(payment_id, "key-1"),
        "fingerprint": "f",
        "subject_id": payment_id,
        "expires": NOW + DAY,
    }
    return msgspec.convert(known | more, IdempotencyRecord)


def inserted(**more: object) -> Payment:
    return payment_writes.insert_locked(payment(**more), None, {})


def changed(seen: Payment, **more: object) -> Payment:
    return replace(seen, **({"sequence": seen.sequence + 1} | more))


def entry(after: Payment) -> Entry:
    return Entry(
        sequence=after.sequence,
        at=after.changed_at,
        from_status="created",
        to_status=after.status,
        cause="api",
        event="payment.x",
        previous_hash="",
        hash="h",
    )


def commit(seen: Payment, record: IdempotencyRecord | None = None, **more: object) -> Payment:
    after = changed(seen, **more)
    return payment_writes.commit_transition(seen, after, [entry(after)], record)


def stored(payment_id: str) -> Payment:
    found = payment_items.get(payment_id)
    assert found
    return found


def read_with_secret(payment_id: str, now: int) -> str | None:
    found, _ = payment_items.read(payment_id, None, now)
    assert found
    return found.client_secret


def with_secret() -> Payment:
    return commit(inserted(), provider_payment_id="pi_1", client_secret="pi_1_secret_x")
