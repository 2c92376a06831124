"""The local queues: delivery, partial failures, dead letters, and nothing lost on the way."""

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

# Writes every body it gets, one line each; leaves those that say so, fails for those that say so.
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


def test_the_templates_queues_are_made_with_their_attributes() -> None:
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


def test_what_is_handled_is_deleted_and_what_is_left_comes_again(
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


def test_a_batch_that_fails_stays_whole(
    source: EventSource, send: Send, urls: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    send("one", "break")
    assert source.run_once() == 2
    assert count(urls["Work"]) == 2
    assert "Worker: FunctionFailed" in capsys.readouterr().err


def test_after_so_many_deliveries_a_message_is_a_dead_letter_and_can_be_sent_again(
    source: EventSource, send: Send, urls: dict[str, str], tmp_path: Path
) -> None:
    send("leave")
    source.drain()
    assert got(tmp_path) == ["leave"] * 3
    assert (count(urls["Work"]), count(urls["Dead"])) == (0, 1)
    sqs = database.client("sqs")
    (letter,) = sqs.receive_message(QueueUrl=urls["Dead"])["Messages"]
    assert letter["Body"] == "leave"


def test_a_message_that_is_put_off_comes_when_its_time_has_come(
    source: EventSource, send: Send, tmp_path: Path
) -> None:
    send("later", delay_s=1)
    assert source.run_once() == 0
    assert source.run_once(2) == 1
    assert got(tmp_path) == ["later"]


def test_batches_are_of_ten(source: EventSource, send: Send) -> None:
    send(*(f"m{number}" for number in range(23)))
    assert [source.run_once() for _ in range(4)] == [10, 10, 3, 0]


def test_a_deletion_waits_for_whoever_adds_a_message(source: EventSource, send: Send) -> None:
    """Plain moto writes back the list that it has read, without what came at that moment."""
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


def test_a_batch_out_of_a_thousand_messages_takes_no_second(source: EventSource) -> None:
    """Plain moto takes one and a half."""
    backend, name = sqs_backends[ACCOUNT][REGION], "bridge-local-Work"
    for number in range(1000):
        backend.send_message(name, f"m{number}", delay_seconds=0)
    began = time.monotonic()
    assert source.run_once() == 10
    assert time.monotonic() - began < 0.5


def test_the_thread_takes_what_comes(source: EventSource, send: Send, tmp_path: Path) -> None:
    source.start()  # a daemon: it ends with this process
    send("one")
    seen: Any = threading.Event()
    for _ in range(50):
        if got(tmp_path) == ["one"]:
            break
        seen.wait(0.1)
    assert got(tmp_path) == ["one"]
