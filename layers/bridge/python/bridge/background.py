"""Runs that no HTTP request starts: of the schedule, a stream, a queue, an operator.

Source: design/architecture.md, section 3.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from pydantic import BaseModel

from bridge.bodies import Model, validated
from bridge.errors import BridgeError, Detail, InvalidRequest
from bridge.inbound import Handler, ends_at, log, log_unhandled
from bridge.models.outbox import ChangedKey
from bridge.models.run_context import Cause, RunContext


@dataclass(frozen=True)
class Invocation:
    """An event that is no HTTP request: the schedule's, a stream's, an operator's, a message of a
    queue."""

    event: dict[str, Any]
    run: RunContext

    def parse(self, model: type[Model]) -> Model:
        """Raises InvalidRequest."""
        return validated(model, self.event)

    def text(self, name: str) -> str:
        """One field. Raises InvalidRequest."""
        if not isinstance(value := self.event.get(name), str) or not value:
            raise InvalidRequest(f"{name} is required", details=[Detail(name, "is required")])
        return value

    @property
    def changed(self) -> list[ChangedKey]:
        """The keys in a batch of a stream, in its order. Source: DynamoDB Streams, KEYS_ONLY."""
        keys = [record["dynamodb"]["Keys"] for record in self.event["Records"]]
        return [ChangedKey(key["pk"]["S"], key["sk"]["S"]) for key in keys]


def scheduled(function: Callable[[Invocation], BaseModel]) -> Handler:
    """Turn a function of an Invocation into a handler of the schedule; it raises when the function
    does, so that Lambda counts an error."""
    return _background("scheduled run", function)


def streamed(function: Callable[[Invocation], BaseModel]) -> Handler:
    """The same for a stream: where it raises, Lambda brings the whole batch again."""
    return _background("stream batch", function)


def _background(kind: str, function: Callable[[Invocation], BaseModel]) -> Handler:
    @wraps(function)
    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        log.thread_safe_clear_keys()
        log.thread_safe_append_keys(request_id=getattr(context, "aws_request_id", ""))
        done = function(Invocation(event, _run_context("sweep", context))).model_dump(mode="json")
        log.info(kind, **done)
        return done

    return handler


class MessageLeft(Exception):
    """A message that was not handled: it becomes visible in its queue again."""


def worker(function: Callable[[Invocation], None]) -> Handler:
    """Turn a function of one message into a handler of SQS batches with partial failures.

    A message whose function raises stays in the queue; the others are done. Where all fail the
    handler raises, so that Lambda counts an error. No body is ever logged.
    """

    @wraps(function)
    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        # Imported here: 70 ms that no other function shall pay.
        from aws_lambda_powertools.utilities.batch import (
            BatchProcessor,
            EventType,
            process_partial_response,
        )

        run = _run_context("webhook", context)

        def handle(record: Any) -> None:
            log.thread_safe_clear_keys()
            log.thread_safe_append_keys(
                request_id=getattr(context, "aws_request_id", ""), message_id=record.message_id
            )
            try:
                function(Invocation(json.loads(record.body), run))
            except BridgeError as error:
                log.warning("message left in the queue", error=error.code)
                raise MessageLeft from None
            except Exception as error:  # noqa: BLE001 - the others of the batch are not to blame
                log_unhandled(error)
                raise MessageLeft from None

        processor = BatchProcessor(event_type=EventType.SQS)
        return dict(process_partial_response(event, handle, processor))

    return handler


def operation(function: Callable[[Invocation], BaseModel | None]) -> Handler:
    """Turn a function of an Invocation into what operators invoke; errors come back as text."""

    @wraps(function)
    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        log.thread_safe_clear_keys()
        log.thread_safe_append_keys(request_id=getattr(context, "aws_request_id", ""))
        try:
            done = function(Invocation(event, _run_context("reconciliation", context)))
        except BridgeError as error:
            details = [detail._asdict() for detail in error.details]
            return {"ok": False, "code": error.code, "error": str(error), "details": details}
        return {"ok": True} | (done.model_dump(mode="json") if done else {})

    return handler


def _run_context(cause: Cause, context: Any) -> RunContext:
    return RunContext(cause=cause, ends_at=ends_at(context))
