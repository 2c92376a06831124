"""What is due, of every kind: one sparse index holds it. Source: design/data-model.md 2 and 3."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from bridge.store import dynamodb, keys

PAGE = 25


class Due(NamedTuple):
    """A payment to look at, a payment whose events wait, or a job; `at` in seconds."""

    kind: Literal["payment", "events", "job"]
    id: str
    at: int


def shards() -> list[str]:
    return keys.due_partitions()


def list_due(shard: str, now: int) -> Iterator[Due]:
    """What is due in one shard, oldest first; the index may lag, so the reader checks the item."""
    for item in dynamodb.query_due(shard, now, page=PAGE):
        pk, sk = item["pk"], item["sk"]
        if sk == "P":
            yield Due("payment", keys.payment_id(pk), item["due_at"])
        elif sk.startswith("D#"):
            yield Due("events", keys.payment_id(pk), item["due_at"])
        elif sk == "J":
            yield Due("job", keys.job_id(pk), item["due_at"])
