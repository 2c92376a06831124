"""What is due, of every kind. Source: docs/data-model.md, sections 2 and 3."""

import pytest
from msgspec.structs import replace

from bridge.store import dynamodb, keys
from bridge.store.jobs import due_items
from bridge.store.jobs.due_items import Due
from bridge.store.payments import event_counter_items, outbox_items, payment_writes
from tests.store.conftest import FRESH_WRITE, NOW, payment

pytestmark = pytest.mark.usefixtures("tables")


def listed(until: int) -> list[Due]:
    found: list[Due] = []
    for shard in due_items.shards():
        here = list(due_items.list_due(shard, until))
        assert here == sorted(here, key=lambda due: due.at)
        found += here
    return sorted(found)


def put_payment(due_at: int | None) -> str:
    return payment_writes.insert_locked(payment(due_at=due_at), None, FRESH_WRITE).id


def put_cursor(payment_id: str, due_at: int) -> None:
    seen = outbox_items.get_cursor(payment_id)
    outbox_items.move(seen, replace(seen, due_at=due_at))


def put_job(job_id: str, due_at: int) -> None:
    item = {"due_pk": keys.due_partition(job_id), "due_at": due_at}
    dynamodb.write(dynamodb.put(keys.job(job_id), item))


def test_list_due_returns_every_kind_that_is_due_oldest_first() -> None:
    payments = [put_payment(NOW + number) for number in range(60)]  # more than a page of a shard
    put_payment(NOW + 1000)
    put_payment(None)
    put_cursor("pay_123", NOW + 5)
    put_cursor("pay_7", NOW + 1000)
    event_counter_items.count("pay_8", NOW + 7)
    event_counter_items.count("pay_9", NOW + 1000)
    put_job("job_1", NOW)
    put_job("job_2", NOW + 1000)
    dynamodb.write(
        dynamodb.put(keys.job("job_3")._replace(sk="?"), {"due_pk": "D#0", "due_at": NOW})
    )
    assert listed(NOW + 500) == sorted(
        [
            *(Due("payment", made, NOW + number) for number, made in enumerate(payments)),
            Due("events", "pay_123", NOW + 5),
            Due("counter", "pay_8", NOW + 7),
            Due("job", "job_1", NOW),
        ]
    )
