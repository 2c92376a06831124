"""moto with our lock and our undo: what the rest of the suite relies on.

These tests run on moto even if DYNAMODB_ENDPOINT is set, because moto is their subject.
"""

import os
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from local import database

TABLE = "bridge-local-ledger"
OTHER = "bridge-local-ephemeral"
PAYMENTS = 5_000


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with monkeypatch.context() as without:
        without.delenv("DYNAMODB_ENDPOINT", raising=False)
        database.start()
    database.clear()
    client = database.client()
    assert client.exceptions  # made here: threads that make them at once get different classes
    yield client
    database.clear()
    database.start()  # the database of the environment, for later tests


def key(pk: object, sk: str = "P") -> dict[str, Any]:
    return {"pk": {"S": str(pk)}, "sk": {"S": sk}}


def stored(client: Any, pk: object, sk: str = "P", table: str = TABLE) -> dict[str, Any] | None:
    answer = client.get_item(TableName=table, Key=key(pk, sk), ConsistentRead=True)
    return answer.get("Item")


def due(client: Any, shard: str) -> list[dict[str, Any]]:
    answer = client.query(
        TableName=TABLE,
        IndexName="due",
        KeyConditionExpression="#p = :p AND #at <= :now",
        ExpressionAttributeNames={"#p": "due_pk", "#at": "due_at"},
        ExpressionAttributeValues={":p": {"S": shard}, ":now": {"N": "50"}},
    )
    return answer["Items"]


def add_one(client: Any) -> None:
    client.update_item(
        TableName=TABLE,
        Key=key("counter"),
        UpdateExpression="ADD #n :one",
        ExpressionAttributeNames={"#n": "n"},
        ExpressionAttributeValues={":one": {"N": "1"}},
    )


def test_all_increments_of_sixteen_threads_are_kept(moto: Any) -> None:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(2e-5)  # at the usual interval, plain moto mostly passes too
    try:
        with ThreadPoolExecutor(16) as threads:
            for done in [threads.submit(add_one, moto) for _ in range(320)]:
                done.result()
    finally:
        sys.setswitchinterval(usual)
    item = stored(moto, "counter")
    assert item is not None
    assert item["n"] == {"N": "320"}


def test_one_of_sixteen_transactions_on_one_item_succeeds(moto: Any) -> None:
    ready = threading.Barrier(16)

    def claim(who: int) -> bool:
        ready.wait()
        put = {
            "TableName": TABLE,
            "Item": key("lock") | {"owner": {"N": str(who)}},
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        count = {
            "TableName": OTHER,
            "Key": key("wins"),
            "UpdateExpression": "ADD #n :one",
            "ExpressionAttributeNames": {"#n": "n"},
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
        try:
            moto.transact_write_items(TransactItems=[{"Update": count}, {"Put": put}])
        except moto.exceptions.TransactionCanceledException:
            return False
        return True

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(claim, range(16))) == 1
    wins = stored(moto, "wins", table=OTHER)
    assert wins is not None
    assert wins["n"] == {"N": "1"}


def test_failed_transaction_leaves_every_touched_item_unchanged(moto: Any) -> None:
    old = {"due_pk": {"S": "D#1"}, "due_at": {"N": "7"}, "notes": {"M": {"a": {"S": "old"}}}}
    for pk in ("put", "update", "delete"):
        moto.put_item(TableName=TABLE, Item=key(pk) | old)
    touched = ("put", "update", "delete", "new", "made")
    before = {pk: stored(moto, pk) for pk in touched}
    index_before = due(moto, "D#1")
    change = {
        "TableName": TABLE,
        "UpdateExpression": "SET #n.#a = :new REMOVE #due",
        "ExpressionAttributeNames": {"#n": "notes", "#a": "a", "#due": "due_pk"},
        "ExpressionAttributeValues": {":new": {"S": "new"}},
    }
    make = {
        "TableName": TABLE,
        "UpdateExpression": "SET #x = :x",
        "ExpressionAttributeNames": {"#x": "x"},
        "ExpressionAttributeValues": {":x": {"S": "x"}},
    }
    with pytest.raises(moto.exceptions.TransactionCanceledException) as refused:
        moto.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": TABLE, "Item": key("put") | {"other": {"S": "x"}}}},
                {"Update": change | {"Key": key("update")}},
                {"Delete": {"TableName": TABLE, "Key": key("delete")}},
                {"Put": {"TableName": TABLE, "Item": key("new") | old}},
                {"Update": make | {"Key": key("made")}},
                {
                    "ConditionCheck": {
                        "TableName": OTHER,
                        "Key": key("absent"),
                        "ConditionExpression": "attribute_exists(pk)",
                    }
                },
            ]
        )
    codes = [reason["Code"] for reason in refused.value.response["CancellationReasons"]]
    assert codes == ["None"] * 5 + ["ConditionalCheckFailed"]
    assert {pk: stored(moto, pk) for pk in touched} == before
    assert due(moto, "D#1") == index_before
    assert len(index_before) == 3


def test_random_transactions_write_all_or_nothing(moto: Any) -> None:
    choose, model, refusals = random.Random(7), dict[str, str](), 0
    for number in range(150):
        expected, actions, refused = dict(model), list[Any](), False
        for pk in choose.sample("abcdef", 3):
            action: dict[str, Any] = {"TableName": TABLE}
            if choose.random() < 0.4:
                exists = choose.random() < 0.6
                function = "attribute_exists" if exists else "attribute_not_exists"
                action["ConditionExpression"] = f"{function}(pk)"
                refused = refused or exists != (pk in model)
            if choose.random() < 0.3:
                actions.append({"Delete": action | {"Key": key(pk)}})
                expected.pop(pk, None)
            else:
                actions.append({"Put": action | {"Item": key(pk) | {"v": {"N": str(number)}}}})
                expected[pk] = str(number)
        try:
            moto.transact_write_items(TransactItems=actions)
            assert not refused
            model = expected
        except moto.exceptions.TransactionCanceledException:
            assert refused
            refusals += 1
        found = {pk: stored(moto, pk) for pk in "abcdef"}
        assert {pk: item["v"]["N"] for pk, item in found.items() if item} == model
    assert 20 < refusals < 130


def test_refused_write_returns_the_stored_item(moto: Any) -> None:
    item = key("p") | {"version": {"N": "4"}, "tags": {"L": [{"S": "x"}]}, "meta": {"M": {}}}
    moto.put_item(TableName=TABLE, Item=item)
    guarded = {
        "TableName": TABLE,
        "Item": key("p"),
        "ConditionExpression": "attribute_not_exists(pk)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    with pytest.raises(moto.exceptions.TransactionCanceledException) as refused:
        moto.transact_write_items(
            TransactItems=[{"Delete": {"TableName": TABLE, "Key": key("q")}}, {"Put": guarded}]
        )
    assert refused.value.response["CancellationReasons"][1]["Item"] == item
    with pytest.raises(moto.exceptions.ConditionalCheckFailedException) as plain:
        moto.put_item(**guarded)
    assert plain.value.response["Item"] == item


def test_every_type_is_read_as_it_was_written(moto: Any) -> None:
    inner = {"S": "ž"}, {"N": "1.50"}, {"BOOL": False}, {"NULL": True}, {"B": b"\x00\xff"}
    item = key("all") | {f"a{n}": value for n, value in enumerate(inner)}
    item["list"] = {"L": [*inner, {"M": {"deep": {"L": list(inner)}}}, {"L": []}]}
    item["set"], item["empty"], item["blank"] = {"SS": ["a", "b"]}, {"M": {}}, {"S": ""}
    moto.put_item(TableName=TABLE, Item=item)
    assert stored(moto, "all") == item


def pages_of(client: Any, condition: str, *, forward: bool, limit: int) -> list[list[str]]:
    """The sort keys of every page of partition U#1 under a condition on the sort key."""
    values = {":pk": {"S": "U#1"}, ":a": {"S": "P#"}, ":b": {"S": "P#10"}, ":c": {"S": "P#2"}}
    pages: list[list[str]] = []
    more: dict[str, Any] = {}
    while not pages or more:
        answer = client.query(
            TableName=TABLE,
            KeyConditionExpression="#pk = :pk" + (f" AND {condition}" if condition else ""),
            ExpressionAttributeNames={"#pk": "pk"} | ({"#sk": "sk"} if condition else {}),
            ExpressionAttributeValues={":pk": values[":pk"]}
            | {name: value for name, value in values.items() if name in condition},
            ScanIndexForward=forward,
            ConsistentRead=True,
            Limit=limit,
            **more,
        )
        pages.append([item["sk"]["S"] for item in answer["Items"]])
        last = answer.get("LastEvaluatedKey")
        more = {"ExclusiveStartKey": last} if last else {}
    return pages


@pytest.mark.parametrize("forward", [True, False])
@pytest.mark.parametrize(
    ("condition", "picked"),
    [
        ("", bool),
        ("begins_with(#sk, :a)", lambda key: key.startswith("P#")),
        ("#sk BETWEEN :b AND :c", lambda key: "P#10" <= key <= "P#2"),
        ("#sk >= :b", lambda key: key >= "P#10"),
        ("#sk < :c", lambda key: key < "P#2"),
        ("#sk = :b", lambda key: key == "P#10"),
    ],
)
def test_query_returns_its_range_in_order_and_in_pages(
    moto: Any, condition: str, picked: Callable[[str], bool], forward: bool
) -> None:
    names = [f"P#{number:02d}" for number in range(30)] + ["C#1", "Q#1"]
    for name in random.Random(3).sample(names, len(names)):
        moto.put_item(TableName=TABLE, Item=key("U#1", name))
        moto.put_item(TableName=TABLE, Item=key("U#2", name))
    pages = pages_of(moto, condition, forward=forward, limit=7)
    expected = sorted(filter(picked, names), reverse=not forward)
    assert [sk for page in pages for sk in page] == expected
    assert {len(page) for page in pages[:-1]} <= {7}


def test_due_index_returns_keys_of_due_items_in_order(moto: Any) -> None:
    for pk, at in (("b", "9"), ("a", "10"), ("late", "51")):
        item = key(pk) | {"due_pk": {"S": "D#3"}, "due_at": {"N": at}, "more": {"S": "x"}}
        moto.put_item(TableName=TABLE, Item=item)
    moto.put_item(TableName=TABLE, Item=key("elsewhere") | {"due_pk": {"S": "D#4"}})
    found = due(moto, "D#3")
    assert [item["pk"]["S"] for item in found] == ["b", "a"]
    assert found[0].keys() == {"pk", "sk", "due_pk", "due_at"}


def test_clear_removes_all_items_and_keeps_the_tables(moto: Any) -> None:
    moto.put_item(TableName=OTHER, Item=key("x"))
    database.clear()
    assert stored(moto, "x", table=OTHER) is None
    assert TABLE in moto.list_tables()["TableNames"]


def test_unused_expression_name_is_refused_as_on_aws(moto: Any) -> None:
    with pytest.raises(ClientError, match="unused in expressions"):
        moto.put_item(
            TableName=TABLE,
            Item=key("x"),
            ConditionExpression="attribute_not_exists(pk)",
            ExpressionAttributeNames={"#never": "used"},
        )


@pytest.mark.parametrize(
    "update",
    ["SET #a = :one, #b = :one", "SET #a = :one SET #c = :one", "REMOVE #a REMOVE #c"],
)
def test_expression_that_changes_an_attribute_twice_is_refused_every_time(
    moto: Any, update: str
) -> None:
    """Also the second time, when the expression was parsed before."""
    names = {"#a": "same", "#b": "same", "#c": "other"}
    for _ in range(2):
        with pytest.raises(ClientError, match="ValidationException"):
            moto.update_item(
                TableName=TABLE,
                Key=key("p1"),
                UpdateExpression=update,
                ExpressionAttributeNames={each: names[each] for each in names if each in update},
                **({"ExpressionAttributeValues": {":one": {"N": "1"}}} if ":one" in update else {}),
            )
    assert stored(moto, "p1") is None


def test_parsed_expression_is_used_with_other_values(moto: Any) -> None:
    for value in ("1", "2"):
        moto.update_item(
            TableName=TABLE,
            Key=key("p1"),
            UpdateExpression="SET #a = :it",
            ExpressionAttributeNames={"#a": f"a{value}"},
            ExpressionAttributeValues={":it": {"N": value}},
        )
    assert stored(moto, "p1") == key("p1") | {"a1": {"N": "1"}, "a2": {"N": "2"}}


@pytest.mark.slow
def test_confirm_is_as_fast_with_5000_payments_as_with_50(moto: Any) -> None:
    """Plain moto sorts and copies whole tables: it takes a hundred times as long."""

    def cost() -> tuple[float, float, float]:
        spent = sorted(time_of_a_confirm(moto, number) for number in range(20))
        began = time.perf_counter()
        for number in range(10):
            moto.query(
                TableName=TABLE,
                KeyConditionExpression="#pk = :pk",
                ExpressionAttributeNames={"#pk": "pk"},
                ExpressionAttributeValues={":pk": {"S": f"P#{number}"}},
            )
        queried = time.perf_counter()
        due(moto, "D#0")
        return spent[10], queried - began, time.perf_counter() - queried

    fill(range(50))
    confirm, query, _ = cost()
    fill(range(50, PAYMENTS))
    confirm_of_many, query_of_many, due_of_many = cost()
    assert confirm_of_many < 4 * confirm
    assert query_of_many < 4 * query
    assert due_of_many < 20 * confirm


def fill(numbers: range) -> None:
    """Put payments with their pointers into moto's table, without requests: those take minutes."""
    table = database.embedded_table(TABLE)
    assert table
    for number in numbers:
        for item in (
            payment(number),
            key("U#1", f"P#{number}"),
            key(f"PP#stripe#pi_{number}", "PP"),
        ):
            table.put_item(item)


def payment(number: int) -> dict[str, Any]:
    """An item as large as a payment: 45 attributes, one of them a map. One in 50 is due."""
    texts = {f"text_{n}": {"S": "x" * 20} for n in range(25)}
    numbers = {f"number_{n}_cents": {"N": "2000"} for n in range(16)}
    item = key(f"P#{number}") | texts | numbers | {"meta": {"M": {"k": {"S": "v"}}}}
    if number % 50 == 0:
        item |= {"due_pk": {"S": f"D#{number % 8}"}, "due_at": {"N": "7"}}
    return item


def time_of_a_confirm(client: Any, number: int) -> float:
    """Seconds of a confirm's four round trips. Source: docs/data-model.md, section 8."""
    item, record = payment(number), key(f"I#{number}", "I")
    version = {
        "TableName": TABLE,
        "Key": key(f"P#{number}"),
        "UpdateExpression": "ADD #f :one",
        "ExpressionAttributeNames": {"#f": "version"},
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }
    secret = {"TableName": "bridge-local-secrets", "Key": key(f"CS#{number}", "CS")}
    entry = {"TableName": TABLE, "Item": key(f"P#{number}", "H#1")}
    began = time.perf_counter()
    client.batch_get_item(
        RequestItems={
            TABLE: {"Keys": [key(f"P#{number}"), key("U#1", "P#1")], "ConsistentRead": True},
            OTHER: {"Keys": [record]},
        }
    )
    client.get_item(TableName=TABLE, Key=key(f"P#{number}"), ConsistentRead=True)
    client.transact_write_items(
        TransactItems=[{"Put": {"TableName": OTHER, "Item": record}}, {"Update": version}]
    )
    client.transact_write_items(
        TransactItems=[
            {"Put": {"TableName": TABLE, "Item": item}},
            {"Put": entry},
            {"Delete": secret},
            {"Put": {"TableName": OTHER, "Item": record | {"body": {"S": "b" * 2000}}}},
        ]
    )
    return time.perf_counter() - began


def test_a_forked_process_writes_into_the_same_tables(moto: Any) -> None:
    """It has only a copy of moto's memory, so it must connect."""
    if (child := os.fork()) == 0:
        try:
            moto.put_item(TableName=TABLE, Item=key("forked"))
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert stored(moto, "forked") == key("forked")


def test_answers_are_the_same_with_and_without_a_connection(moto: Any) -> None:
    moto.put_item(TableName=TABLE, Item=key("here") | {"n": {"N": "7"}})
    headers = {
        "X-Amz-Target": "DynamoDB_20120810.GetItem",
        "Content-Type": "application/x-amz-json-1.0",
        "Authorization": "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4",
    }
    body: dict[str, Any] = {"TableName": TABLE, "Key": key("here")}
    connected = requests.post(database.serve(), json=body, headers=headers, timeout=5)
    assert connected.json()["Item"] == stored(moto, "here")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        moto.get_item(TableName="nobody", Key=key("here"))
