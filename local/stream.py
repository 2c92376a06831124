"""A table's stream on one machine: calls a function with the changed keys, in real events.

The embedded database has no stream, because moto would keep every record. Instead, moto's writes
call `Stream.on_change`. The stream of a DynamoDB Local is read.
Source: DynamoDB Streams; Lambda Developer Guide, "Process Amazon DynamoDB records with Lambda";
docs/deployment.md, section 4.
"""

import sys
import threading
import time
import uuid
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local import database
from local.functions import ACCOUNT, REGION, FunctionFailed, Functions, FunctionTimedOut
from local.template import Function, StreamTrigger

POLL_S = 0.5
AGAIN_S = 1.0

Keys = dict[str, dict[str, str]]
OnChange = Callable[[str, Keys], None]


class Stream(threading.Thread):
    """One function's subscription to a table.

    A batch that fails is sent again until it succeeds, and later ones wait, as in AWS.
    """

    def __init__(self, functions: Functions, function: Function, trigger: StreamTrigger) -> None:
        super().__init__(name=f"stream of {function.name}", daemon=True)
        self._functions, self._function, self._trigger = functions, function, trigger
        self._waiting: SimpleQueue[dict[str, Any]] = SimpleQueue()

    def start(self) -> None:
        """Send every write from now on to the function. The table must exist."""
        table = self._trigger.table
        if embedded := database.embedded_table(table):
            embedded.stream_shard = _ChangeListener(self.on_change)  # type: ignore[assignment]
        else:
            arn = _stream_of(table)
            threading.Thread(target=_read, args=(arn, self.on_change), daemon=True).start()
        super().start()

    def on_change(self, change: str, keys: Keys) -> None:
        """Add a change to the next batch, unless the function's filters exclude it.

        `change` is INSERT, MODIFY or REMOVE.
        """
        record = _record(change, keys, self._trigger.table)
        filters = self._trigger.filters
        if not filters or any(matches(each, record) for each in filters):
            self._waiting.put(record)

    def run(self) -> None:
        while True:
            self.run_once()

    def run_once(self) -> None:
        """Wait for a record, and call the function with it and the others that are waiting."""
        batch = [self._waiting.get()]
        try:
            while len(batch) < self._trigger.batch_size:
                batch.append(self._waiting.get_nowait())
        except Empty:
            pass
        while not self._is_taken(batch):
            time.sleep(AGAIN_S)

    def _is_taken(self, batch: list[dict[str, Any]]) -> bool:
        try:
            self._functions.invoke(self._function.name, {"Records": batch})
        except (FunctionFailed, FunctionTimedOut) as error:
            print(f"{self._function.name}: {type(error).__name__}", file=sys.stderr)
            return False
        return True


def matches(pattern: Any, value: Any) -> bool:
    """Whether a value passes a filter of Lambda. Nested names, words and prefixes are supported."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(
            name in value and matches(part, value[name]) for name, part in pattern.items()
        )
    return any(_agrees(each, value) for each in pattern)


def _agrees(expected: Any, value: Any) -> bool:
    if isinstance(expected, dict):
        ((rule, argument),) = expected.items()
        if rule != "prefix":
            raise ValueError(f"the local run does not know the filter {rule}")
        return isinstance(value, str) and value.startswith(argument)
    return bool(expected == value)


def _record(change: str, keys: Keys, table: str) -> dict[str, Any]:
    """A stream record as Lambda receives it. Source: Amazon DynamoDB API Reference, "Record"."""
    arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}/stream/2026-01-01T00:00:00.000"
    return {
        "eventID": uuid.uuid4().hex,
        "eventName": change,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": REGION,
        "dynamodb": {
            "ApproximateCreationDateTime": int(time.time()),
            "Keys": keys,
            "SequenceNumber": str(time.time_ns()),
            "SizeBytes": sum(len(value) for each in keys.values() for value in each.values()),
            "StreamViewType": "KEYS_ONLY",
        },
        "eventSourceARN": arn,
    }


class _ChangeListener:
    """Replaces moto's record of a table's changes: it reports each change and keeps none.

    It also reports a write of a transaction that fails afterwards. That does no harm: AWS, too, may
    deliver a record late or twice, so a function takes only the keys from a record.
    """

    def __init__(self, on_change: OnChange) -> None:
        self._on_change = on_change

    def add(self, old: Any, new: Any) -> None:
        """Called by moto for each write, with the item before and after it."""
        item = new or old
        keys = {"pk": {"S": item.hash_key.value}, "sk": {"S": item.range_key.value}}
        self._on_change("INSERT" if old is None else "REMOVE" if new is None else "MODIFY", keys)


def _stream_of(table: str) -> str:
    """The ARN of a table's stream in DynamoDB Local. Switches the stream on if it is off."""
    client = database.client()
    described = client.describe_table(TableName=table)["Table"]
    if not described.get("StreamSpecification", {}).get("StreamEnabled"):
        settings = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
        changed = client.update_table(TableName=table, StreamSpecification=settings)
        described = changed["TableDescription"]
    return str(described["LatestStreamArn"])


def _read(arn: str, on_change: OnChange) -> None:
    """Report every record of a stream, shard by shard, until the process ends."""
    streams = database.client("dynamodbstreams")
    iterators: dict[str, str | None] = {}
    while True:
        try:
            for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
                name = shard["ShardId"]
                if name not in iterators:
                    begun = streams.get_shard_iterator(
                        StreamArn=arn, ShardId=name, ShardIteratorType="TRIM_HORIZON"
                    )
                    iterators[name] = begun["ShardIterator"]
            for name, iterator in iterators.items():
                if iterator:
                    answer = streams.get_records(ShardIterator=iterator)
                    iterators[name] = answer.get("NextShardIterator")
                    for record in answer["Records"]:
                        on_change(record["eventName"], record["dynamodb"]["Keys"])
        except (BotoCoreError, ClientError) as error:
            if "TrimmedDataAccess" not in str(error):  # this error is usual for a new stream
                print(f"the stream of {arn.split('/')[1]}: {error}", file=sys.stderr)
            iterators.clear()  # read it again from its beginning: a repeated record does no harm
        time.sleep(POLL_S)
