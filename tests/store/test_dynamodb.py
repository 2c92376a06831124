"""Reads, conditional writes, transactions.

Source: docs/data-model.md, section 9; docs/payment-correctness.md, section 4.
"""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from bridge import config
from bridge.errors import TemporarilyUnavailable
from bridge.store import dynamodb
from bridge.store.dynamodb import ConditionFailed, Throttled
from bridge.store.keys import Key
from tests.conftest import together
from tests.store.conftest import Wire

pytestmark = pytest.mark.usefixtures("tables")
KEY = Key("ledger", "P#1", "P")
FREE = dynamodb.condition("attribute_not_exists(#pk)")
in_one_run = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)

NAMES = st.text(min_size=1, max_size=12)
NUMBERS = st.integers(-(10**18) + 1, 10**18 - 1) | st.floats(
    min_value=-1e100, max_value=1e100, allow_subnormal=False
).filter(lambda number: number == 0 or abs(number) > 1e-100)
SCALARS = NUMBERS | st.booleans() | st.text(max_size=30)
ITEMS = st.dictionaries(NAMES, SCALARS | st.dictionaries(NAMES, SCALARS, max_size=5), max_size=6)


def put(key: Key, **attributes: object) -> None:
    dynamodb.write(dynamodb.put(key, attributes))


def strict(value: object) -> object:
    """A form to compare, in which True is not 1, and numbers are as JSON prints them."""
    if isinstance(value, dict):
        return {key: strict(each) for key, each in value.items()}
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return (type(value) is bool, Decimal(repr(value)) if is_number else value)


@given(ITEMS)
def test_item_from_reverses_typed(item: dict[str, Any]) -> None:
    assert strict(dynamodb.item_from(dynamodb.typed(item))) == strict(item)


@in_one_run
@given(ITEMS)
def test_get_returns_the_item_as_it_was_put(item: dict[str, Any]) -> None:
    stored = {f"a {name}": value for name, value in item.items()}
    put(KEY, **stored)
    assert strict(dynamodb.get(KEY)) == strict(stored | {"pk": "P#1", "sk": "P"})


def test_very_large_float_stays_a_float() -> None:
    """As an integer of 51 digits it could not be sent back to us (B3)."""
    (read,) = dynamodb.item_from(dynamodb.typed({"a": 1e50})).values()
    assert isinstance(read, float)


def test_typed_leaves_out_none_and_writes_times_in_utc() -> None:
    at = datetime(2026, 1, 15, 11, 30, tzinfo=timezone(timedelta(hours=1)))
    typed = dynamodb.typed({"gone": None, "at": at, "inner": {"gone": None, "here": 1}})
    assert typed == {"at": {"S": "2026-01-15T10:30:00Z"}, "inner": {"M": {"here": {"N": "1"}}}}


def test_get_of_missing_item_returns_none() -> None:
    assert dynamodb.get(KEY) is None
    assert dynamodb.get_all([KEY]) == {KEY: None}


def test_get_all_reads_many_keys_of_several_tables_in_batches(wire: Wire) -> None:
    many_keys = [Key("ledger", f"P#{number}", "P") for number in range(230)]
    secret = Key("secrets", "CS#1", "CS")
    for key in (*many_keys[::2], secret):
        put(key, n=1)
    wire.watch("BatchGetItem")
    found = dynamodb.get_all([*many_keys, secret, many_keys[0]])
    assert list(found) == [*many_keys, secret]
    assert [found[key] is not None for key in many_keys] == [True, False] * 115
    assert (found[secret] or {})["n"] == 1
    batches = [list(request["RequestItems"].values()) for request in wire.requests]
    assert [sum(len(each["Keys"]) for each in batch) for batch in batches] == [100, 100, 31]
    assert all(each["ConsistentRead"] for batch in batches for each in batch)


def test_get_all_does_not_read_prefetched_items_again(wire: Wire) -> None:
    other = Key("ledger", "P#2", "P")
    put(other, n=2)
    wire.watch("BatchGetItem")
    found = dynamodb.get_all([KEY, other], {KEY: {"n": 1}})
    assert found[KEY] == {"n": 1}
    assert (found[other] or {})["n"] == 2
    (request,) = wire.requests
    assert len(request["RequestItems"][config.table_name("ledger")]["Keys"]) == 1
    dynamodb.get_all([KEY], {KEY: None})
    assert len(wire.requests) == 1


def test_get_all_requests_unprocessed_keys_again(wire: Wire) -> None:
    put(KEY, n=1)
    name = config.table_name("ledger")
    unread = {name: {"Keys": [dynamodb.key_of(KEY)], "ConsistentRead": True}}
    wire.answer("BatchGetItem", 200, {"Responses": {}, "UnprocessedKeys": unread}, times=2)
    assert (dynamodb.get_all([KEY])[KEY] or {})["n"] == 1
    assert len(wire.requests) == 3


@pytest.mark.parametrize(
    ("operation", "status", "kind"),
    [
        ("GetItem", 400, "ProvisionedThroughputExceededException"),
        ("UpdateItem", 500, "InternalServerError"),
    ],
)
def test_failing_or_throttling_database_raises_temporarily_unavailable(
    wire: Wire, operation: str, status: int, kind: str
) -> None:
    act = {
        "GetItem": lambda: dynamodb.get(KEY),
        "UpdateItem": lambda: dynamodb.write(dynamodb.add(KEY, 1)),
    }
    wire.answer(operation, status, {"__type": f"com.amazonaws#{kind}"}, times=None)
    with pytest.raises(TemporarilyUnavailable) as raised:
        act[operation]()
    assert raised.value.retry_after
    assert isinstance(raised.value, Throttled) == (status == 400)


def test_validation_error_of_a_read_is_raised_as_it_is(wire: Wire) -> None:
    wire.answer("GetItem", 400, {"__type": "com.amazon.coral.validate#ValidationException"})
    with pytest.raises(Exception, match="ValidationException"):
        dynamodb.get(KEY)


def test_query_all_reads_all_pages_of_a_partition() -> None:
    """DynamoDB ends a page at 1 MB."""
    for number in range(30):
        put(Key("ledger", "P#1", f"H#{number:010d}"), n=number, text="x" * 50_000)
    put(Key("ledger", "P#1", "P"), n=-1)
    answer = dynamodb.query("ledger", "P#1", "H#")
    assert "LastEvaluatedKey" in answer
    assert [item["n"] for item in dynamodb.query_all("ledger", "P#1", "H#")] == list(range(30))


def test_query_between_returns_the_range_of_sort_keys() -> None:
    for name in ("AUTO#stripe", "C#1", "C#2", "P#1"):
        put(Key("ledger", "U#u", name), n=1)

    def found(low: str, high: str, **more: Any) -> list[str]:
        return [item["sk"] for item in dynamodb.query_between("U#u", low, high, **more)]

    assert found("AUTO#", "C$") == ["AUTO#stripe", "C#1", "C#2"]
    assert found("C#1", "P#1", forward=False) == ["P#1", "C#2", "C#1"]
    assert found("AUTO#", "P#1", Limit=1) == ["AUTO#stripe", "C#1", "C#2", "P#1"]
    assert found("P", "C") == []


def test_query_due_returns_oldest_first_up_to_now() -> None:
    for number in (5, 3, 9, 1, 7):
        put(Key("ledger", f"P#{number}", "P"), due_pk="D#0", due_at=number)
    put(Key("ledger", "P#other", "P"), due_pk="D#1", due_at=1)
    put(Key("ledger", "P#rest", "P"), n=1)
    found = dynamodb.query_due("D#0", 7, page=2)
    assert [(item["pk"], item["due_at"]) for item in found] == [
        ("P#1", 1),
        ("P#3", 3),
        ("P#5", 5),
        ("P#7", 7),
    ]


def test_condition_declares_its_names_and_types_its_values() -> None:
    made = dynamodb.condition("( #a = :x OR attribute_not_exists(#b) ) AND #a < :y", x=1, y="t")
    assert made["ExpressionAttributeNames"] == {"#a": "a", "#b": "b"}
    assert made["ExpressionAttributeValues"] == {":x": {"N": "1"}, ":y": {"S": "t"}}
    assert made["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"


def test_write_with_failed_condition_raises_with_the_stored_item() -> None:
    dynamodb.write(dynamodb.put(KEY, {"n": 1}, FREE))
    with pytest.raises(ConditionFailed) as lost:
        dynamodb.write(dynamodb.put(KEY, {"n": 2}, FREE))
    assert lost.value.items["it"]["n"] == 1
    assert (dynamodb.get(KEY) or {})["n"] == 1


@pytest.mark.parametrize(
    ("returned", "attributes"),
    [
        ("ALL_NEW", {"pk": "P#1", "sk": "P", "n": 3, "other": "x"}),
        ("UPDATED_NEW", {"n": 3}),
        ("NONE", {}),
    ],
)
def test_write_returns_the_attributes_that_return_values_asks_for(
    returned: str, attributes: dict[str, Any]
) -> None:
    put(KEY, n=1, other="x")
    update = dynamodb.add(KEY, 2)["Update"] | {"ReturnValues": returned}
    assert dynamodb.write({"Update": update}) == attributes


def test_write_returns_nothing_if_it_is_not_asked_to() -> None:
    put(KEY, n=1)
    assert dynamodb.write(dynamodb.put(KEY, {"n": 2})) == {}
    assert dynamodb.write(dynamodb.add(KEY, 1)) == {}
    assert dynamodb.write(dynamodb.delete(KEY)) == {}


def change(before: dict[str, Any], after: dict[str, Any]) -> None:
    guard = dynamodb.condition("attribute_exists(#pk)")
    dynamodb.write(dynamodb.change(KEY, before, after, guard))


def test_change_keeps_unknown_attributes() -> None:
    put(KEY, status="created", newer_release={"a": 1}, reserved="x")
    change({"status": "created", "reserved": "x"}, {"status": "failed", "added": 5})
    assert dynamodb.get(KEY) == {
        "pk": "P#1",
        "sk": "P",
        "status": "failed",
        "added": 5,
        "newer_release": {"a": 1},
    }


def test_change_writes_only_what_differs() -> None:
    guard = dynamodb.condition("#version = :seen", seen=1)
    before = {"version": 1, "status": "created", "gone": 1, "same": "s", "none": None}
    after = {"version": 2, "status": "created", "same": "s", "none": None, "comes": "c"}
    update = dynamodb.change(KEY, before, after, guard)["Update"]
    assert (
        update["UpdateExpression"] == "SET #version = :to_version, #comes = :to_comes REMOVE #gone"
    )
    assert update["ExpressionAttributeValues"].keys() == {":seen", ":to_version", ":to_comes"}


@pytest.mark.parametrize(
    ("before", "after"),
    [({"a": 1}, {"a": True}), ({"a": False}, {"a": 0}), ({"a": "1"}, {"a": 1}), ({"a": 1}, {})],
)
def test_change_writes_a_value_whose_type_changed(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    put(KEY, metadata=before, version=1)
    change({"metadata": before, "version": 1}, {"metadata": after, "version": 2})
    assert strict((dynamodb.get(KEY) or {})["metadata"]) == strict(after)


def test_change_to_none_removes_the_attribute() -> None:
    put(KEY, a=1, b=2)
    change({"a": 1, "b": 2}, {"a": None, "b": 3})
    assert dynamodb.get(KEY) == {"pk": "P#1", "sk": "P", "b": 3}


def test_add_and_first_are_correct_under_concurrency() -> None:
    """The first writer of an attribute keeps it; no count is lost."""

    def act(number: int) -> None:
        dynamodb.write(dynamodb.add(KEY, 1))
        dynamodb.write(dynamodb.first(Key("ledger", "U#u", "AUTO"), {"who": number, "why": "x"}))

    together(8, act)
    assert (dynamodb.get(KEY) or {})["n"] == 8
    kept = (dynamodb.get(Key("ledger", "U#u", "AUTO")) or {})["who"]
    dynamodb.write(dynamodb.first(Key("ledger", "U#u", "AUTO"), {"who": 99, "why": "y", "new": 1}))
    stored = dynamodb.get(Key("ledger", "U#u", "AUTO")) or {}
    assert (stored["who"], stored["why"], stored["new"]) == (kept, "x", 1)


def two(**condition: Any) -> dict[str, dict[str, Any]]:
    other = Key("secrets", "CS#1", "CS")
    return {"one": dynamodb.put(KEY, {"n": 1}, **condition), "two": dynamodb.put(other, {"n": 2})}


def test_transact_with_failed_condition_writes_nothing_and_names_the_action() -> None:
    dynamodb.transact(two(guard=FREE))
    third = Key("ledger", "P#3", "P")
    with pytest.raises(ConditionFailed) as lost:
        dynamodb.transact({"three": dynamodb.put(third, {"n": 3})} | two(guard=FREE))
    assert lost.value.items.keys() == {"one"}
    assert lost.value.items["one"]["n"] == 1
    assert dynamodb.get(third) is None


@pytest.mark.parametrize(
    "reason", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"]
)
def test_transact_repeats_a_conflict_with_the_same_token(wire: Wire, reason: str) -> None:
    wire.cancel("None", reason, times=2)
    dynamodb.transact(two())
    assert dynamodb.get(KEY)
    tokens = {request["ClientRequestToken"] for request in wire.requests}
    assert (len(wire.requests), len(tokens)) == (3, 1)


def test_transact_raises_throttled_after_three_conflicts(wire: Wire) -> None:
    wire.cancel("TransactionConflict", "None", times=None)
    with pytest.raises(Throttled):
        dynamodb.transact(two())
    assert len(wire.requests) == 3
    assert dynamodb.get(KEY) is None


def test_transact_with_failed_condition_and_conflict_raises_condition_failed(wire: Wire) -> None:
    wire.cancel("ConditionalCheckFailed", "TransactionConflict")
    with pytest.raises(ConditionFailed) as lost:
        dynamodb.transact(two())
    assert lost.value.items == {"one": {}}
    assert len(wire.requests) == 1


def test_transact_repeats_a_transaction_in_progress(wire: Wire) -> None:
    wire.answer("TransactWriteItems", 400, {"__type": "#TransactionInProgressException"})
    dynamodb.transact(two())
    assert len({request["ClientRequestToken"] for request in wire.requests}) == 1


def test_transact_uses_a_new_token_for_each_transaction(wire: Wire) -> None:
    wire.watch("TransactWriteItems")
    dynamodb.transact(two())
    dynamodb.transact(two())
    assert len({request["ClientRequestToken"] for request in wire.requests}) == 2


def test_validation_error_of_a_transaction_is_raised_as_it_is(wire: Wire) -> None:
    wire.cancel("ValidationError", "None")
    with pytest.raises(Exception, match="TransactionCanceled"):
        dynamodb.transact(two())
    assert len(wire.requests) == 1


def test_times_keep_their_microseconds() -> None:
    at = datetime(2026, 1, 15, 10, 30, 0, 123456, tzinfo=UTC)
    (read,) = dynamodb.item_from(dynamodb.typed({"at": at})).values()
    assert datetime.fromisoformat(read) == at
