"""Runs that no HTTP request starts: by a schedule, a stream, a queue or an operator.

Source: docs/architecture.md, section 3.
"""

import json
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from bridge.errors import BridgeError, Detail, InvalidRequest
from bridge.inbound import Handler, ends_at, log, log_unhandled
from bridge.models.model import Model, json_values_of
from bridge.models.outbox import ChangedKey
from bridge.models.run_context import Cause, RunContext

if TYPE_CHECKING:
    from bridge.bodies.validation import Body


class Invocation(Struct, frozen=True):
    """The input of a run without an HTTP request, with its run context.

    `event` is the event of a schedule or a stream, the body of a queue message, or an operator's
    input.
    """

    event: dict[str, Any]
    run: RunContext

    def parse(self, model: "type[Body]") -> "Body":
        """An operator's input. Raises InvalidRequest that names every invalid field."""
        # Imported here, because pydantic takes long to load and only operators' functions need it.
        from bridge.bodies.validation import validated

        return validated(model, self.event)

    def text(self, name: str) -> str:
        """A text field of the event. Raises InvalidRequest if it is missing or empty."""
        if not isinstance(value := self.event.get(name), str) or not value:
            raise InvalidRequest(f"{name} is required", details=[Detail(name, "is required")])
        return value

    @property
    def changed(self) -> list[ChangedKey]:
        """The keys in a stream batch, in their order. Source: DynamoDB Streams, KEYS_ONLY."""
        keys = [record["dynamodb"]["Keys"] for record in self.event["Records"]]
        return [ChangedKey(key["pk"]["S"], key["sk"]["S"]) for key in keys]


def scheduled(function: Callable[[Invocation], Model]) -> Handler:
    """Turn a function into a handler for a schedule.

    An exception is passed on, so that Lambda counts an error.
    """
    return _background("scheduled run", function)


def streamed(function: Callable[[Invocation], Model]) -> Handler:
    """Turn a function into a handler for a DynamoDB stream.

    An exception is passed on, so that Lambda delivers the whole batch again.
    """
    return _background("stream batch", function)


def _background(kind: str, function: Callable[[Invocation], Model]) -> Handler:
    @wraps(function)
    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        log.thread_safe_clear_keys()
        log.thread_safe_append_keys(request_id=getattr(context, "aws_request_id", ""))
        done = json_values_of(function(Invocation(event, _run_context("sweep", context))))
        log.info(kind, **done)
        return done

    return handler


class MessageLeft(Exception):
    """A message was not handled. It becomes visible in its queue again."""


def worker(function: Callable[[Invocation], None]) -> Handler:
    """Turn a function that takes one message into a handler of SQS batches.

    A message stays in the queue if the function raises; the others are done. If all of them fail,
    the handler raises, so that Lambda counts an error. No body is ever logged.
    """

    @wraps(function)
    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        # Imported here, because it takes 70 ms and no other function needs it.
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
            except Exception as error:  # noqa: BLE001 - the rest of the batch goes on
                log_unhandled(error)
                raise MessageLeft from None

        processor = BatchProcessor(event_type=EventType.SQS)
        return dict(process_partial_response(event, handle, processor))

    return handler


def operation(function: Callable[[Invocation], Model | None]) -> Handler:
    """Turn a function into a handler that operators invoke. A BridgeError comes back as text."""

    @wraps(function)
    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        log.thread_safe_clear_keys()
        log.thread_safe_append_keys(request_id=getattr(context, "aws_request_id", ""))
        try:
            done = function(Invocation(event, _run_context("reconciliation", context)))
        except BridgeError as error:
            details = [detail._asdict() for detail in error.details]
            return {"ok": False, "code": error.code, "error": str(error), "details": details}
        return {"ok": True} | (json_values_of(done) if done else {})

    return handler


def _run_context(cause: Cause, context: Any) -> RunContext:
    return RunContext(cause=cause, ends_at=ends_at(context))
