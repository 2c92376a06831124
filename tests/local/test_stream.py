"""A table's stream on one machine: what rings, for what, and what becomes of a batch that fails."""

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
    """A stream of the ledger, and the batches that its function was called with."""

    def make(*filters: dict[str, Any], failures: int = 0) -> tuple[Stream, Batches]:
        (tmp_path / "handler.py").write_text(HANDLER.replace("{failures}", str(failures)))
        rung_by = StreamTrigger("bridge-local-ledger", 3, filters)
        function = Function("Rung", tmp_path, 5, 128, (), (), streams=(rung_by,))
        stream = Stream(Functions({"Rung": function}), function, rung_by)

        def batches() -> list[list[dict[str, Any]]]:
            log = tmp_path / "batches"
            return (
                [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
            )

        return stream, batches

    return make


def keys(sk: str, pk: str = "P#1") -> streams.Keys:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def rung(batch: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(each["eventName"], each["dynamodb"]["Keys"]["sk"]["S"]) for each in batch]


@pytest.mark.parametrize(
    ("pattern", "agrees"),
    [
        (NEW_ENTRIES, True),
        ({}, True),
        ({"eventName": ["MODIFY", "INSERT"]}, True),
        ({"eventName": ["REMOVE"]}, False),
        ({"dynamodb": {"Keys": {"sk": {"S": [{"prefix": "D#"}]}}}}, False),
        ({"dynamodb": {"NewImage": {"sk": {"S": ["H#1"]}}}}, False),
    ],
)
def test_a_filter_lets_through_what_agrees_in_every_name(
    pattern: dict[str, Any], agrees: bool
) -> None:
    record = {"eventName": "INSERT", "dynamodb": {"Keys": keys("H#1")}}
    assert matches(pattern, record) == agrees


def test_a_rule_that_the_local_run_does_not_know_is_named() -> None:
    with pytest.raises(ValueError, match="numeric"):
        matches({"a": [{"numeric": [">", 1]}]}, {"a": 1})


def test_a_batch_is_a_real_event_of_what_the_filter_lets_through(
    made: Callable[..., tuple[Stream, Batches]], event: Callable[[str], dict[str, Any]]
) -> None:
    stream, batches = made(NEW_ENTRIES)
    stream.ring("INSERT", keys("D#bus"))
    for number in range(5):
        stream.ring("INSERT", keys(f"H#{number}"))
        stream.ring("MODIFY", keys(f"H#{number}"))
    stream.run_once()
    stream.run_once()
    assert [len(batch) for batch in batches()] == [3, 2]
    told = [record for batch in batches() for record in batch]
    assert rung(told) == [("INSERT", f"H#{number}") for number in range(5)]
    (documented,) = event("jobs/deliver_events")["Records"]
    for record in told:
        assert record.keys() == documented.keys()
        assert record["dynamodb"].keys() == documented["dynamodb"].keys()


def test_a_batch_that_fails_comes_again_and_the_others_wait(
    made: Callable[..., tuple[Stream, Batches]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(streams, "AGAIN_S", 0)
    stream, batches = made(failures=2)
    for number in range(4):
        stream.ring("INSERT", keys(f"H#{number}"))
    stream.run_once()
    stream.run_once()
    assert [len(batch) for batch in batches()] == [3, 3, 3, 1]
    assert capsys.readouterr().err.count("Rung: FunctionFailed") == 2


def test_what_is_written_to_the_embedded_table_rings(
    tables: None, made: Callable[..., tuple[Stream, Batches]]
) -> None:
    stream, batches = made()
    try:
        stream.start()
        write_three()
        assert eventually(batches) == WRITTEN
    finally:
        embedded = database.embedded_table("bridge-local-ledger")
        assert embedded
        embedded.stream_shard = None


@pytest.mark.race
def test_what_is_written_to_a_dynamodb_local_rings(
    dynamodb_local: None, tables: None, made: Callable[..., tuple[Stream, Batches]]
) -> None:
    stream, batches = made()
    stream.start()
    write_three()
    assert eventually(batches) == WRITTEN


WRITTEN = [("INSERT", "H#1"), ("MODIFY", "H#1"), ("INSERT", "H#2"), ("REMOVE", "H#1")]


def write_three() -> None:
    first, second = Key("ledger", "P#1", "H#1"), Key("ledger", "P#1", "H#2")
    dynamodb.write(dynamodb.put(first, {"n": 1}))
    dynamodb.transact(
        {"first": dynamodb.put(first, {"n": 2}), "second": dynamodb.put(second, {"n": 1})}
    )
    dynamodb.write(dynamodb.delete(first))


def eventually(batches: Batches) -> list[tuple[str, str]]:
    for _ in range(100):
        told = rung([record for batch in batches() for record in batch])
        if len(told) >= len(WRITTEN):
            break
        time.sleep(0.1)
    return told
