"""Background jobs. Source: docs/data-model.md, section 6."""

import msgspec
import pytest

from bridge.models.job import Job


def test_new_job_begins_with_the_saved_methods() -> None:
    job = Job(id="job_1", customer_id="cust_1", due_at=1)
    assert (job.kind, job.stage, job.cursor) == ("finish_deletion", "methods", None)
    assert (job.version, job.has_left, job.failing_since) == (1, False, None)


@pytest.mark.parametrize("wrong", [{"stage": "of a newer release"}, {"kind": "another"}])
def test_job_of_unknown_stage_or_kind_is_invalid(wrong: dict[str, str]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"id": "job_1", "customer_id": "cust_1", "due_at": 1} | wrong, Job)
