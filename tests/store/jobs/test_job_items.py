"""Jobs: claimed and moved by one run at a time. Source: docs/data-model.md, section 6."""

import msgspec
import pytest
from msgspec.structs import replace

from bridge.models.job import Job
from bridge.store import dynamodb
from bridge.store.dynamodb import Throttled
from bridge.store.jobs import due_items, job_items
from tests.store.conftest import NOW, Wire

pytestmark = pytest.mark.usefixtures("tables")


def put_job(**more: object) -> Job:
    """A job that is stored now."""
    known: dict[str, object] = {"id": "job_1", "customer_id": "cust_1", "due_at": NOW}
    job = msgspec.convert(known | more, Job)
    dynamodb.write(job_items.creation(job))
    return job


def due(until: int) -> list[str]:
    return [each.id for shard in due_items.shards() for each in due_items.list_due(shard, until)]


def test_get_returns_the_whole_job_and_lists_it_as_due() -> None:
    whole = put_job(stage="payments", cursor="P#1", has_left=True, failing_since=NOW - 5)
    assert job_items.get("job_1") == whole
    assert due(NOW) == ["job_1"]
    assert job_items.get("job_2") is None


def test_move_and_remove_of_an_outdated_job_raise_version_conflict() -> None:
    seen = put_job()
    claimed = job_items.move(seen, replace(seen, due_at=NOW + 65, cursor="M#1"))
    assert job_items.get("job_1") == claimed
    assert (due(NOW), due(NOW + 65)) == ([], ["job_1"])
    for outdated in (lambda: job_items.move(seen, seen), lambda: job_items.remove(seen)):
        with pytest.raises(dynamodb.VersionConflict):
            outdated()
    back = job_items.move(claimed, replace(claimed, cursor=None))
    assert job_items.get("job_1") == back


def test_removed_job_is_gone_and_cannot_be_moved() -> None:
    seen = put_job()
    job_items.remove(seen)
    assert (job_items.get("job_1"), due(NOW)) == (None, [])
    with pytest.raises(dynamodb.VersionConflict):
        job_items.move(seen, seen)
    assert job_items.get("job_1") is None


@pytest.mark.slow
def test_throttled_move_raises_throttled_not_version_conflict(wire: Wire) -> None:
    seen = put_job()
    kind = "com.amazonaws.dynamodb.v20120810#ThrottlingException"
    wire.answer("UpdateItem", 400, {"__type": kind}, times=None)
    with pytest.raises(Throttled):
        job_items.move(seen, seen)
