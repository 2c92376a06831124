"""Jobs: one item each, deleted when the work is done.

Source: docs/data-model.md, sections 2 and 6.
"""

from typing import Any

import msgspec
from msgspec.structs import replace

from bridge.models.job import Job
from bridge.models.model import present_values_of
from bridge.store import dynamodb, keys
from bridge.store.dynamodb import Item


def _item_of(job: Job) -> Item:
    item = present_values_of(job, "id")
    return item | {"due_pk": keys.due_partition(job.id)}


def _version_guard(seen: Job) -> dict[str, Any]:
    return dynamodb.condition("#version = :seen", seen=seen.version)


def creation(job: Job) -> dict[str, Any]:
    """The action that writes a new job, for the transaction that needs it."""
    return dynamodb.put(keys.job(job.id), _item_of(job))


def get(job_id: str) -> Job | None:
    """The job as it is stored now, or None if it is done."""
    item = dynamodb.get(keys.job(job_id))
    return msgspec.convert(item | {"id": job_id}, Job) if item else None


def move(seen: Job, changed: Job) -> Job:
    """Write a job that was changed, if it is still as it was read. Returns it as written.

    Raises VersionConflict, Throttled.
    """
    written = replace(changed, version=seen.version + 1)
    action = dynamodb.change(
        keys.job(seen.id), _item_of(seen), _item_of(written), _version_guard(seen)
    )
    _write(seen, action)
    return written


def remove(seen: Job) -> None:
    """Delete a job that is done. Raises VersionConflict, Throttled."""
    _write(seen, dynamodb.delete(keys.job(seen.id), _version_guard(seen)))


def _write(seen: Job, action: dict[str, Any]) -> None:
    try:
        dynamodb.write(action)
    except dynamodb.ConditionFailed as failed:
        raise dynamodb.VersionConflict(seen.id) from failed
