"""The local queues: delivery, partial failures, dead letters, no lost messages."""

import copy
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from moto.sqs.models import sqs_backends

from local import database, queues, template
from local.functions import ACCOUNT, REGION, Functions
from local.queues import EventSource
from local.template import Function, Poll, Queue

# Writes every body to a log. Reports a body "leave…" as failed, and raises for a body "break".
HANDLER = """
import json, pathlib

def handler(event, context):
    log, left = pathlib.Path(__file__).with_name("log"), []
    for record in event["Records"]:
        assert record["eventSource"] == "aws:sqs"
        with log.open("a") as file:
            file.write(record["body"] + "\\n")
        if record["body"].startswith("leave"):
            left.append({"itemIdentifier": record["messageId"]})
        if record["body"] == "break":
            raise RuntimeError("this batch fails")
    log.with_name("last").write_text(json.dumps(event))
    return {"batchItemFailures": left}
"""
QUEUES = {
    "Work": Queue("Work", visibility_s=0, dead_letters="Dead", receives=3),
    "Dead": Queue("Dead", visibility_s=30),
}
Send = Callable[..., None]


@pytest.fixture(scope="module")
def urls() -> dict[str, str]:
    database.serve()
    return queues.start(QUEUES)


@pytest.fixture
def source(tmp_path: Path, urls: dict[str, str]) -> Iterator[EventSource]:
    queues.clear()
    (tmp_path / "handler.py").write_text(HANDLER)
    poll = Poll("Work", 10)
    function = Function("Worker", tmp_path, 5, 128, (), (), (poll,))
    yield EventSource(Functions({"Worker": function}), function, poll, urls["Work"])
    queues.clear()


@pytest.fixture
def send(urls: dict[str, str]) -> Send:
    def run(*bodies: str, delay_s: int = 0) -> None:
        for body in bodies:
            database.client("sqs").send_message(
                QueueUrl=urls["Work"], MessageBody=body, DelaySeconds=delay_s
            )

    return run


def count(url: str) -> int:
    names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
    asked = database.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)
    return sum(int(asked["Attributes"][name]) for name in names)


def got(folder: Path) -> list[str]:
    return (folder / "log").read_text().split() if (folder / "log").exists() else []


def test_queues_of_the_template_are_created_with_their_attributes() -> None:
    read = template.read()
    assert read.queues["SyncQueue"] == Queue("SyncQueue", 360, "SyncDeadLetters", 8)
    assert read.functions["JobsProcessQueueMessage"].polls == (Poll("SyncQueue", 10),)
    made = queues.start(read.queues)
    assert queues.start(read.queues) == made, "making them twice is harmless"
    asked = database.client("sqs").get_queue_attributes(
        QueueUrl=made["SyncQueue"], AttributeNames=["All"]
    )["Attributes"]
    assert asked["VisibilityTimeout"] == "360"
    policy = json.loads(asked["RedrivePolicy"])
    assert policy["maxReceiveCount"] == 8
    assert policy["deadLetterTargetArn"].endswith("bridge-local-SyncDeadLetters")


def test_handled_messages_are_deleted_and_others_delivered_again(
    source: EventSource, send: Send, urls: dict[str, str], tmp_path: Path
) -> None:
    send("one", "leave", "two")
    assert source.run_once() == 3
    assert count(urls["Work"]) == 1
    assert source.run_once() == 1
    assert sorted(got(tmp_path)) == ["leave", "leave", "one", "two"]
    (record,) = json.loads((tmp_path / "last").read_text())["Records"]
    assert record["attributes"]["ApproximateReceiveCount"] == "2"
    assert record.keys() == {
        *("messageId", "receiptHandle", "body", "attributes", "messageAttributes"),
        *("md5OfBody", "eventSource", "eventSourceARN", "awsRegion"),
    }


def test_failed_batch_stays_in_the_queue(
    source: EventSource, send: Send, urls: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    send("one", "break")
    assert source.run_once() == 2
    assert count(urls["Work"]) == 2
    assert "Worker: FunctionFailed" in capsys.readouterr().err


def test_message_becomes_a_dead_letter_after_its_deliveries(
    source: EventSource, send: Send, urls: dict[str, str], tmp_path: Path
) -> None:
    send("leave")
    source.drain()
    assert got(tmp_path) == ["leave"] * 3
    assert (count(urls["Work"]), count(urls["Dead"])) == (0, 1)
    sqs = database.client("sqs")
    (letter,) = sqs.receive_message(QueueUrl=urls["Dead"])["Messages"]
    assert letter["Body"] == "leave"


def test_delayed_message_is_delivered_after_its_delay(
    source: EventSource, send: Send, tmp_path: Path
) -> None:
    send("later", delay_s=1)
    assert source.run_once() == 0
    assert source.run_once(2) == 1
    assert got(tmp_path) == ["later"]


def test_batch_has_at_most_ten_messages(source: EventSource, send: Send) -> None:
    send(*(f"m{number}" for number in range(23)))
    assert [source.run_once() for _ in range(4)] == [10, 10, 3, 0]


def test_deletion_waits_while_a_message_is_added(source: EventSource, send: Send) -> None:
    """Plain moto writes back the list that it has read, without a message added meanwhile."""
    send("one")
    backend, name = sqs_backends[ACCOUNT][REGION], "bridge-local-Work"
    (taken,) = backend.receive_message(name, 1, 0, 600)
    delete = threading.Thread(target=backend.delete_message, args=(name, taken.receipt_handle))
    queue = backend.get_queue(name)
    with queue._messages_lock:
        delete.start()
        delete.join(0.3)
        assert delete.is_alive()
        assert len(queue._messages) == 1
    delete.join(5)
    assert queue._messages == []


def test_batch_out_of_a_thousand_messages_is_as_fast_as_out_of_twenty(
    source: EventSource, send: Send
) -> None:
    """Plain moto takes twenty times as long."""

    def cost() -> float:
        began = time.perf_counter()
        assert source.run_once() == 10
        return time.perf_counter() - began

    send(*map(str, range(20)))
    cost_of_few = cost()
    queue = sqs_backends[ACCOUNT][REGION].queues["bridge-local-Work"]
    message = queue._messages[-1]
    for number in range(1000):  # sent one by one, moto would look at all of them each time
        queue._messages.append(copy.copy(message))
        queue._messages[-1].id = str(number)
    assert cost() < 8 * cost_of_few


def test_thread_handles_new_messages(source: EventSource, send: Send, tmp_path: Path) -> None:
    source.start()  # a daemon: it ends with this process
    send("one")
    seen: Any = threading.Event()
    for _ in range(50):
        if got(tmp_path) == ["one"]:
            break
        seen.wait(0.1)
    assert got(tmp_path) == ["one"]
