"""Runs that no HTTP request starts. Source: docs/architecture.md, section 3."""

import pytest
from pydantic import BaseModel

from bridge import background, clock
from bridge.background import Invocation
from bridge.errors import Conflict, Detail, InvalidRequest
from bridge.models.model import Model
from bridge.models.outbox import ChangedKey
from bridge.models.run_context import RunContext
from tests.stripe_events import batch


class Context:
    """The part of Lambda's context that we use."""

    aws_request_id = "run-1"

    def get_remaining_time_in_millis(self) -> int:
        return 5000


class Done(Model, frozen=True, kw_only=True):
    count: int


class Input(BaseModel):
    count: int


def test_scheduled_returns_the_result_and_passes_on_exceptions() -> None:
    @background.scheduled
    def runs(invocation: Invocation) -> Done:
        assert invocation.run.cause == "sweep"
        return Done(count=invocation.event["count"])

    assert runs({"count": 3}, Context()) == {"count": 3}
    with pytest.raises(KeyError):
        runs({}, Context())


def test_streamed_reads_keys_in_order_and_passes_on_exceptions() -> None:
    batch = {
        "Records": [
            {"eventName": "INSERT", "dynamodb": {"Keys": {"pk": {"S": pk}, "sk": {"S": "H#1"}}}}
            for pk in ("P#2", "P#1")
        ]
    }

    @background.streamed
    def counts(invocation: Invocation) -> Done:
        assert invocation.changed == [ChangedKey("P#2", "H#1"), ChangedKey("P#1", "H#1")]
        return Done(count=len(invocation.changed))

    assert counts(batch, Context()) == {"count": 2}
    with pytest.raises(KeyError):
        counts({}, Context())


def test_operation_returns_ok_or_the_error_as_text() -> None:
    @background.operation
    def doubles(invocation: Invocation) -> Done | None:
        assert invocation.run.cause == "reconciliation"
        count = invocation.parse(Input).count
        return Done(count=count * 2) if count else None

    assert doubles({"count": 2}, Context()) == {"ok": True, "count": 4}
    assert doubles({"count": 0}, object()) == {"ok": True}
    refused = doubles({"count": "many"}, Context())
    assert (refused["ok"], refused["code"]) == (False, "validation_failed")
    assert [each["field"] for each in refused["details"]] == ["count"]
    assert "many" not in str(refused)


def test_worker_leaves_only_failed_messages_in_the_queue() -> None:
    seen: list[int] = []

    @background.worker
    def counts(invocation: Invocation) -> None:
        assert invocation.run.cause == "webhook"
        seen.append(invocation.parse(Input).count)
        if seen[-1] == 2:
            raise Conflict("not now", code="later")
        if seen[-1] == 3:
            raise ZeroDivisionError

    bodies = [{"count": 1}, {"count": 2}, {"count": 3}, {"count": "x"}, "no JSON", {"count": 4}]
    left = [f"message-{number}" for number in (1, 2, 3, 4)]
    answer = counts(batch(*bodies), Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": each} for each in left]}
    assert seen == [1, 2, 3, 4]
    assert counts(batch({"count": 1}), Context()) == {"batchItemFailures": []}
    with pytest.raises(Exception, match="All records failed"):
        counts(batch({"count": 2}, {"count": 3}), Context())


@pytest.mark.parametrize("wrong", [None, "", 5, ["a"]])
def test_invocation_text_is_required(wrong: object) -> None:
    invocation = Invocation(
        {"a": wrong, "b": "yes"}, RunContext(cause="reconciliation", ends_at=clock.now())
    )
    with pytest.raises(InvalidRequest) as refused:
        invocation.text("a")
    assert refused.value.details == [Detail("a", "is required")]
    assert invocation.text("b") == "yes"
