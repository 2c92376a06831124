"""SQS on one machine: the template's queues in moto, and Lambda's polling of them.

moto handles visibility, delays and dead letters, in real time.
Source: AWS Lambda Developer Guide, "Using Lambda with Amazon SQS".
"""

import json
import sys
import threading
from collections.abc import Mapping
from typing import Any

from moto.sqs.models import sqs_backends

from local import database
from local.functions import ACCOUNT, REGION, FunctionFailed, Functions, FunctionTimedOut
from local.template import Function, Poll, Queue

WAIT_S = 1


def start(queues: Mapping[str, Queue]) -> dict[str, str]:
    """Create the template's queues that are missing. Returns their URLs by logical id."""
    sqs = database.client("sqs")
    urls: dict[str, str] = {}
    # A dead-letter queue must exist before the queue that refers to it.
    for queue in sorted(queues.values(), key=lambda each: each.dead_letters is not None):
        attributes = {"VisibilityTimeout": str(queue.visibility_s)}
        if queue.dead_letters:
            policy = {
                "deadLetterTargetArn": _arn(urls[queue.dead_letters]),
                "maxReceiveCount": queue.receives,
            }
            attributes["RedrivePolicy"] = json.dumps(policy)
        made = sqs.create_queue(QueueName=f"bridge-local-{queue.name}", Attributes=attributes)
        urls[queue.name] = made["QueueUrl"]
    return urls


def clear() -> None:
    """Delete every message, also those in flight. SQS itself purges at most once a minute."""
    for queue in sqs_backends[ACCOUNT][REGION].queues.values():
        with queue._messages_lock:
            queue._messages.clear()
            queue.pending_messages.clear()


def _arn(url: str) -> str:
    asked = database.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return str(asked["Attributes"]["QueueArn"])


class EventSource(threading.Thread):
    """Takes batches from a queue, calls one function, and deletes the messages it has handled."""

    def __init__(self, functions: Functions, function: Function, poll: Poll, url: str) -> None:
        super().__init__(name=f"queue of {function.name}", daemon=True)
        self._functions, self._name = functions, function.name
        self._url, self._arn, self._batch_size = url, _arn(url), poll.batch_size
        self._sqs = database.client("sqs")

    def run(self) -> None:
        while True:
            self.run_once(WAIT_S)

    def drain(self) -> None:
        """Take batches until no message is visible."""
        while self.run_once():
            pass

    def run_once(self, wait_s: int = 0) -> int:
        """Handle one batch, if there is one. Returns how many messages it had."""
        received = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=self._batch_size,
            WaitTimeSeconds=wait_s,
            AttributeNames=["All"],
        )
        messages = received.get("Messages", [])
        if messages:
            left = self._handle(messages)
            done = [each for each in messages if each["MessageId"] not in left]
            entries = [
                {"Id": str(number), "ReceiptHandle": each["ReceiptHandle"]}
                for number, each in enumerate(done)
            ]
            if entries:
                self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)
        return len(messages)

    def _handle(self, messages: list[dict[str, Any]]) -> set[str]:
        """The ids of the messages that stay: those the function reports, or all if it fails."""
        event = {"Records": [self._record(each) for each in messages]}
        try:
            answer = self._functions.invoke(self._name, event)
        except (FunctionFailed, FunctionTimedOut) as error:
            print(f"{self._name}: {type(error).__name__}", file=sys.stderr)
            return {each["MessageId"] for each in messages}
        return {each["itemIdentifier"] for each in answer["batchItemFailures"]}

    def _record(self, message: dict[str, Any]) -> dict[str, Any]:
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
            "messageAttributes": {},
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self._arn,
            "awsRegion": REGION,
        }
