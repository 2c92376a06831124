"""A table's stream on one machine: which writes call a function, and what a failed batch does."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bridge.store import dynamodb
from bridge.store.keys import Key
from local import database, stream as streams
from local.functions import Functions
from local.stream import Stream, matches
from local.template import Function, StreamTrigger

HANDLER = """
import json, pathlib


def handler(event, context):
    log = pathlib.Path(__file__).with_name("batches")
    batches = log.read_text() if log.exists() else ""
    log.write_text(batches + json.dumps(event["Records"]) + "\\n")
    assert batches.count("\\n") >= {failures}, "this run fails"
"""
NEW_ENTRIES = {"eventName": ["INSERT"], "dynamodb": {"Keys": {"sk": {"S": [{"prefix": "H#"}]}}}}
Batches = Callable[[], list[list[dict[str, Any]]]]


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., tuple[Stream, Batches]]:
    """Makes a stream of the ledger. Its function records the batches that it was called with."""

    def make(*filters: dict[str, Any], failures: int = 0) -> tuple[Stream, Batches]:
        (tmp_path / "handler.py").write_text(HANDLER.replace("{failures}", str(failures)))
        trigger = StreamTrigger("bridge-local-ledger", 3, filters)
        function = Function("Deliver", tmp_path, 5, 128, (), (), streams=(trigger,))
        stream = Stream(Functions({"Deliver": function}), function, trigger)

        def batches() -> list[list[dict[str, Any]]]:
            log = tmp_path / "batches"
            return (
                [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
            )

        return stream, batches

    return make


def keys(sk: str, pk: str = "P#1") -> streams.Keys:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def changes_of(batch: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(each["eventName"], each["dynamodb"]["Keys"]["sk"]["S"]) for each in batch]


@pytest.mark.parametrize(
    ("pattern", "passes"),
    [
        (NEW_ENTRIES, True),
        ({}, True),
        ({"eventName": ["MODIFY", "INSERT"]}, True),
        ({"eventName": ["REMOVE"]}, False),
        ({"dynamodb": {"Keys": {"sk": {"S": [{"prefix": "D#"}]}}}}, False),
        ({"dynamodb": {"NewImage": {"sk": {"S": ["H#1"]}}}}, False),
    ],
)
def test_filter_passes_records_that_match_every_name(pattern: dict[str, Any], passes: bool) -> None:
    record = {"eventName": "INSERT", "dynamodb": {"Keys": keys("H#1")}}
    assert matches(pattern, record) == passes


def test_unknown_filter_rule_is_refused() -> None:
    with pytest.raises(ValueError, match="numeric"):
        matches({"a": [{"numeric": [">", 1]}]}, {"a": 1})


def test_batch_is_a_real_event_of_the_filtered_records(
    made: Callable[..., tuple[Stream, Batches]], event: Callable[[str], dict[str, Any]]
) -> None:
    stream, batches = made(NEW_ENTRIES)
    stream.on_change("INSERT", keys("D#bus"))
    for number in range(5):
        stream.on_change("INSERT", keys(f"H#{number}"))
        stream.on_change("MODIFY", keys(f"H#{number}"))
    stream.run_once()
    stream.run_once()
    assert [len(batch) for batch in batches()] == [3, 2]
    records = [record for batch in batches() for record in batch]
    assert changes_of(records) == [("INSERT", f"H#{number}") for number in range(5)]
    (documented,) = event("jobs/deliver_events")["Records"]
    for record in records:
        assert record.keys() == documented.keys()
        assert record["dynamodb"].keys() == documented["dynamodb"].keys()


def test_failed_batch_is_repeated_and_later_ones_wait(
    made: Callable[..., tuple[Stream, Batches]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(streams, "AGAIN_S", 0)
    stream, batches = made(failures=2)
    for number in range(4):
        stream.on_change("INSERT", keys(f"H#{number}"))
    stream.run_once()
    stream.run_once()
    assert [len(batch) for batch in batches()] == [3, 3, 3, 1]
    assert capsys.readouterr().err.count("Deliver: FunctionFailed") == 2


def test_writes_to_the_embedded_table_reach_the_function(
    tables: None, made: Callable[..., tuple[Stream, Batches]]
) -> None:
    stream, batches = made()
    try:
        stream.start()
        write_three()
        assert eventually(batches) == WRITES
    finally:
        embedded = database.embedded_table("bridge-local-ledger")
        assert embedded
        embedded.stream_shard = None


@pytest.mark.race
def test_writes_to_dynamodb_local_reach_the_function(
    dynamodb_local: None, tables: None, made: Callable[..., tuple[Stream, Batches]]
) -> None:
    stream, batches = made()
    stream.start()
    write_three()
    assert eventually(batches) == WRITES


WRITES = [("INSERT", "H#1"), ("MODIFY", "H#1"), ("INSERT", "H#2"), ("REMOVE", "H#1")]


def write_three() -> None:
    first, second = Key("ledger", "P#1", "H#1"), Key("ledger", "P#1", "H#2")
    dynamodb.write(dynamodb.put(first, {"n": 1}))
    dynamodb.transact(
        {"first": dynamodb.put(first, {"n": 2}), "second": dynamodb.put(second, {"n": 1})}
    )
    dynamodb.write(dynamodb.delete(first))


def eventually(batches: Batches) -> list[tuple[str, str]]:
    for _ in range(100):
        changes = changes_of([record for batch in batches() for record in batch])
        if len(changes) >= len(WRITES):
            break
        time.sleep(0.1)
    return changes
