"""What is due, of every kind: the sparse index `due`.

Source: docs/data-model.md, sections 2 and 3.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from bridge.store import dynamodb, keys

PAGE = 25


class Due(NamedTuple):
    """Something that is due.

    `kind`: a payment to check (`payment`); one whose provider's events a check must cover
    (`counter`); one whose own events wait for the bus (`events`); or a job. `id`: of the payment or
    the job. `at`: since when, in seconds.
    """

    kind: Literal["payment", "counter", "events", "job"]
    id: str
    at: int


def shards() -> list[str]:
    """The partitions of the index, to be read one by one or at once."""
    return keys.due_partitions()


def list_due(shard: str, now: int) -> Iterator[Due]:
    """What is due in one shard, oldest first. `now`: seconds.

    The index may lag behind the items, so the caller must read the item before it acts.
    """
    for item in dynamodb.query_due(shard, now, page=PAGE):
        pk, sk = item["pk"], item["sk"]
        if sk == "P":
            yield Due("payment", keys.payment_id(pk), item["due_at"])
        elif sk == "B":
            yield Due("counter", keys.payment_id(pk), item["due_at"])
        elif sk.startswith("D#"):
            yield Due("events", keys.payment_id(pk), item["due_at"])
        elif sk == "J":
            yield Due("job", keys.job_id(pk), item["due_at"])
