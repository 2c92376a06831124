"""A table's stream on one machine: calls a function with what has changed, in real events.

The embedded database has no stream of its own (it would keep every record), so moto's writes ring
here; a DynamoDB Local has one, which is read. Source: DynamoDB Streams; Lambda Developer Guide,
"Process Amazon DynamoDB records with Lambda"; design/deployment.md, section 4.
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
Ring = Callable[[str, Keys], None]


class Stream(threading.Thread):
    """One function's subscription to a table. A batch that fails comes again until it does not,
    and those after it wait, as in AWS."""

    def __init__(self, functions: Functions, function: Function, rung_by: StreamTrigger) -> None:
        super().__init__(name=f"stream of {function.name}", daemon=True)
        self._functions, self._function, self._rung_by = functions, function, rung_by
        self._waiting: SimpleQueue[dict[str, Any]] = SimpleQueue()

    def start(self) -> None:
        """The table must be there. What is written from now on rings."""
        table = self._rung_by.table
        if embedded := database.embedded_table(table):
            embedded.stream_shard = _Doorbell(self.ring)  # type: ignore[assignment]
        else:
            arn = _stream_of(table)
            threading.Thread(target=_read, args=(arn, self.ring), daemon=True).start()
        super().start()

    def ring(self, change: str, keys: Keys) -> None:
        """`change` is INSERT, MODIFY or REMOVE. What the function's filter refuses is dropped."""
        record = _record(change, keys, self._rung_by.table)
        filters = self._rung_by.filters
        if not filters or any(matches(each, record) for each in filters):
            self._waiting.put(record)

    def run(self) -> None:
        while True:
            self.run_once()

    def run_once(self) -> None:
        """Wait for a record, and call the function with it and all that came with it."""
        batch = [self._waiting.get()]
        try:
            while len(batch) < self._rung_by.batch_size:
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
    """A filter of Lambda's, as far as the template uses them: nested names, words, prefixes."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(
            name in value and matches(part, value[name]) for name, part in pattern.items()
        )
    return any(_agrees(each, value) for each in pattern)


def _agrees(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, dict):
        ((rule, argument),) = wanted.items()
        if rule != "prefix":
            raise ValueError(f"the local run does not know the filter {rule}")
        return isinstance(value, str) and value.startswith(argument)
    return bool(wanted == value)


def _record(change: str, keys: Keys, table: str) -> dict[str, Any]:
    """Source: Amazon DynamoDB API Reference, "Record", as Lambda passes it on."""
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


class _Doorbell:
    """In the place of moto's record of a table's changes: tells of each, and keeps none.

    It also rings for a write of a transaction that fails after it. So may AWS ring late, twice or
    for what has changed again: a ring says where to look, no more.
    """

    def __init__(self, ring: Ring) -> None:
        self._ring = ring

    def add(self, old: Any, new: Any) -> None:
        item = new or old
        keys = {"pk": {"S": item.hash_key.value}, "sk": {"S": item.range_key.value}}
        self._ring("INSERT" if old is None else "REMOVE" if new is None else "MODIFY", keys)


def _stream_of(table: str) -> str:
    """The stream of a DynamoDB Local's table, switched on if it is off."""
    client = database.client()
    described = client.describe_table(TableName=table)["Table"]
    if not described.get("StreamSpecification", {}).get("StreamEnabled"):
        wanted = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
        changed = client.update_table(TableName=table, StreamSpecification=wanted)
        described = changed["TableDescription"]
    return str(described["LatestStreamArn"])


def _read(arn: str, ring: Ring) -> None:
    """Ring for every record of a stream, shard by shard, for ever."""
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
                        ring(record["eventName"], record["dynamodb"]["Keys"])
        except (BotoCoreError, ClientError) as error:
            if "TrimmedDataAccess" not in str(error):  # which it says of a stream that is new
                print(f"the stream of {arn.split('/')[1]}: {error}", file=sys.stderr)
            iterators.clear()  # read it again from its beginning: a ring too many does no harm
        time.sleep(POLL_S)
