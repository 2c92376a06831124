"""The only client of DynamoDB: reads, conditional writes, transactions.

Source: docs/data-model.md, section 9; docs/payment-correctness.md, section 4.
"""

import random
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from bridge import aws, config
from bridge.errors import TemporarilyUnavailable
from bridge.store.keys import Key

Item = dict[str, Any]
Prefetched = Mapping[Key, Item | None]
Actions = dict[str, dict[str, Any]]  # of one transaction, by names that an error can give back

NOTHING_PREFETCHED: Prefetched = MappingProxyType({})

TRANSIENT = {
    "TransactionConflict",
    "TransactionConflictException",
    "TransactionInProgressException",
    "ThrottlingError",
    "ThrottlingException",
    "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
}
TRIES = 3
BATCH = 100  # keys of one BatchGetItem
WHOLE = 10**18  # integers have at most 18 digits (B3), so a larger number was a float


class VersionConflict(Exception):
    """The item changed since it was read, so the write was rejected.

    Read the item again and decide again.
    """


class ConditionFailed(Exception):
    """A condition was not true, so nothing was written.

    `items`: what is stored instead, by the name of the action that failed.
    """

    def __init__(self, items: dict[str, Item]) -> None:
        super().__init__(", ".join(items))
        self.items = items


class Throttled(TemporarilyUnavailable):
    """DynamoDB did not take the request, because of load or conflicts, also not after our tries."""

    def __init__(self) -> None:
        super().__init__("the store is busy", retry_after=1)


def client() -> Any:
    """The client, one for each process. Source: docs/data-model.md, section 9."""
    return aws.client("dynamodb", 3)


def _ask(operation: str, **arguments: Any) -> dict[str, Any]:
    """Send one request. Raises TemporarilyUnavailable if DynamoDB is unreachable or answers 5xx."""
    try:
        return getattr(client(), operation)(**arguments)
    except BotoCoreError as error:
        raise TemporarilyUnavailable("the store cannot be reached", retry_after=1) from error
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
            raise TemporarilyUnavailable("the store is failing", retry_after=1) from error
        raise


def _read(operation: str, **arguments: Any) -> dict[str, Any]:
    """Send one read. The same, and raises Throttled if DynamoDB throttles us."""
    try:
        return _ask(operation, **arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] in TRANSIENT:
            raise Throttled from error
        raise


def typed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes in DynamoDB's form: `{"a": 1}` gives `{"a": {"N": "1"}}`. None is left out."""
    return {name: _typed(value) for name, value in values.items() if value is not None}


def _typed(value: Any) -> dict[str, Any]:
    """Floats as Python prints them, times as RFC 3339.

    Not boto3's serializer: it takes five times as long.
    """
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, (int, float)):
        return {"N": str(value)}
    if isinstance(value, datetime):
        return {"S": value.astimezone(UTC).isoformat().replace("+00:00", "Z")}
    if isinstance(value, dict):
        return {"M": typed(value)}
    raise TypeError(f"no attribute holds a {type(value).__name__}")


def item_from(stored: Mapping[str, Any]) -> Item:
    """The attributes of an item as Python values; the reverse of `typed`."""
    return {name: _value(value) for name, value in stored.items()}


def _value(stored: Mapping[str, Any]) -> Any:
    ((kind, value),) = stored.items()
    if kind == "N":
        return _number(value)
    if kind == "M":
        return item_from(value)
    return None if kind == "NULL" else value


def _number(text: str) -> int | float:
    if text.isdigit() and (whole := int(text)) < WHOLE:
        return whole  # the short way, for nearly all numbers
    value = Decimal(text)
    is_whole = value == value.to_integral_value() and abs(value) < WHOLE
    return int(value) if is_whole else float(value)


def key_of(key: Key) -> dict[str, Any]:
    """A primary key in DynamoDB's form."""
    return {"pk": {"S": key.pk}, "sk": {"S": key.sk}}


def get(key: Key) -> Item | None:
    """Read one item, strongly consistent. None if it does not exist."""
    response = _read(
        "get_item", TableName=config.table_name(key.table), Key=key_of(key), ConsistentRead=True
    )
    return item_from(response["Item"]) if "Item" in response else None


def get_all(
    keys: Iterable[Key], prefetched: Prefetched = NOTHING_PREFETCHED
) -> dict[Key, Item | None]:
    """Each key with its item, or None. Keys in `prefetched` are not read again.

    The reads are strongly consistent, in batches of 100 keys.
    """
    unique = dict.fromkeys(keys)
    found: dict[Key, Item | None] = {key: prefetched.get(key) for key in unique}
    missing = [key for key in unique if key not in prefetched]
    for start in range(0, len(missing), BATCH):
        found |= _batch_get(missing[start : start + BATCH])
    return found


def _batch_get(keys: list[Key]) -> dict[Key, Item]:
    names = {config.table_name(key.table): key.table for key in keys}
    requested: dict[str, Any] = {name: {"Keys": [], "ConsistentRead": True} for name in names}
    for key in keys:
        requested[config.table_name(key.table)]["Keys"].append(key_of(key))
    found: dict[Key, Item] = {}
    for _ in range(BATCH):  # a batch may be answered in part; the rest is requested again
        response = _read("batch_get_item", RequestItems=requested)
        for name, items in response["Responses"].items():
            for item in map(item_from, items):
                found[Key(names[name], item["pk"], item["sk"])] = item
        if not (requested := response.get("UnprocessedKeys", {})):
            return found
        time.sleep(random.uniform(0.02, 0.1))
    raise Throttled


def condition(expression: str, **values: Any) -> dict[str, Any]:
    """The arguments for a condition. Every `#name` in it stands for the attribute `name`.

    Every `:name` is one of `values`. Parentheses must be separated by spaces, except those of a
    function. If the condition fails, DynamoDB returns the stored item.
    """
    names = {word.strip("(),") for word in expression.split() if "#" in word}
    names = {name[name.index("#") :] for name in names}
    arguments: dict[str, Any] = {
        "ConditionExpression": expression,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        "ExpressionAttributeNames": {name: name[1:] for name in names},
    }
    if values:
        arguments["ExpressionAttributeValues"] = typed({f":{k}": v for k, v in values.items()})
    return arguments


def put(key: Key, item: Item, guard: dict[str, Any] | None = None) -> dict[str, Any]:
    """An action that writes the whole item, if `guard` (a `condition`) is true."""
    stored = typed(item) | key_of(key)
    return {"Put": {"TableName": config.table_name(key.table), "Item": stored} | (guard or {})}


def change(key: Key, before: Item, after: Item, guard: dict[str, Any]) -> dict[str, Any]:
    """An action that writes only what differs between the item as read and as it should be.

    So attributes that only a newer release knows stay. An attribute that is None or missing in
    `after` is removed.
    """
    sets = {name: value for name, value in after.items() if _differs(value, before.get(name))}
    gone = [name for name, value in before.items() if value is not None and name not in after]
    gone += [name for name, value in sets.items() if value is None and before.get(name) is not None]
    sets = {name: value for name, value in sets.items() if value is not None}
    expression = "SET " + ", ".join(f"#{name} = :to_{name}" for name in sets)
    if gone:
        expression += " REMOVE " + ", ".join(f"#{name}" for name in gone)
    names = {f"#{name}": name for name in [*sets, *gone]}
    values = typed({f":to_{name}": value for name, value in sets.items()})
    return {
        "Update": {
            "TableName": config.table_name(key.table),
            "Key": key_of(key),
            "UpdateExpression": expression,
        }
        | guard
        | {
            "ExpressionAttributeNames": guard["ExpressionAttributeNames"] | names,
            "ExpressionAttributeValues": guard.get("ExpressionAttributeValues", {}) | values,
        }
    }


def _differs(value: Any, before: Any) -> bool:
    """Also tells True from 1, which are equal in Python but not in a caller's metadata."""
    return value != before or (isinstance(value, dict) and repr(value) != repr(before))


def add(key: Key, amount: int) -> dict[str, Any]:
    """An action that adds to the counter `n`, which starts at 0."""
    return {
        "Update": {
            "TableName": config.table_name(key.table),
            "Key": key_of(key),
            "UpdateExpression": "ADD #n :amount",
            "ExpressionAttributeNames": {"#n": "n"},
            "ExpressionAttributeValues": typed({":amount": amount}),
        }
    }


def first(
    key: Key, item: Item, guard: dict[str, Any] | None = None, **counted: int
) -> dict[str, Any]:
    """An action that writes each attribute only if the item does not have it yet.

    `counted`: attributes that are added to instead.
    """
    sets = ", ".join(f"#{name} = if_not_exists(#{name}, :{name})" for name in item)
    adds = ", ".join(f"#{name} :{name}" for name in counted)
    known = guard or {}
    values = {f":{name}": each for name, each in (item | counted).items()}
    return {
        "Update": {
            "TableName": config.table_name(key.table),
            "Key": key_of(key),
            "UpdateExpression": f"SET {sets}" + (f" ADD {adds}" if adds else ""),
        }
        | known
        | {
            "ExpressionAttributeNames": known.get("ExpressionAttributeNames", {})
            | {f"#{name}": name for name in (*item, *counted)},
            "ExpressionAttributeValues": known.get("ExpressionAttributeValues", {}) | typed(values),
        }
    }


def delete(key: Key, guard: dict[str, Any] | None = None) -> dict[str, Any]:
    """An action that deletes an item."""
    return {
        "Delete": {"TableName": config.table_name(key.table), "Key": key_of(key)} | (guard or {})
    }


def check(key: Key, guard: dict[str, Any]) -> dict[str, Any]:
    """An action that writes nothing: the transaction fails if the condition is not true."""
    return {
        "ConditionCheck": {"TableName": config.table_name(key.table), "Key": key_of(key)} | guard
    }


def transact(actions: Actions) -> None:
    """Do all of the named actions, or none.

    Raises ConditionFailed with the names of the actions whose condition was not true. Raises
    Throttled if conflicts or throttling last longer than our 3 tries. The request token makes a
    repeat, by the SDK or by us, the same transaction: it never takes effect twice.
    """
    token = str(uuid.uuid4())
    for left in reversed(range(TRIES)):
        try:
            _ask(
                "transact_write_items",
                TransactItems=list(actions.values()),
                ClientRequestToken=token,
            )
            return
        except ClientError as error:
            reasons = error.response.get("CancellationReasons", [])
            failed = {
                name: item_from(reason.get("Item", {}))
                for name, reason in zip(actions, reasons, strict=False)
                if reason.get("Code") == "ConditionalCheckFailed"
            }
            if failed:
                raise ConditionFailed(failed) from error
            codes = {reason.get("Code") for reason in reasons} | {error.response["Error"]["Code"]}
            if not codes & TRANSIENT:
                raise
            if not left:
                raise Throttled from error
            time.sleep(random.uniform(0.02, 0.2))


def write(action: dict[str, Any]) -> Item:
    """Do one action by itself. Returns the attributes that its `ReturnValues` asks for, else none.

    Raises ConditionFailed, for the name `it`, or Throttled.
    """
    ((kind, arguments),) = action.items()
    call = {"Put": "put_item", "Update": "update_item", "Delete": "delete_item"}[kind]
    try:
        return item_from(_ask(call, **arguments).get("Attributes", {}))
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "ConditionalCheckFailedException":
            raise ConditionFailed({"it": item_from(error.response.get("Item", {}))}) from error
        if code in TRANSIENT:
            raise Throttled from error
        raise


def query(table: config.Table, pk: str, prefix: str, **more: Any) -> dict[str, Any]:
    """One page of a partition, strongly consistent, as DynamoDB returns it.

    `prefix`: how the sort keys begin. `more`: other arguments of the Query.
    """
    return _read(
        "query",
        TableName=config.table_name(table),
        KeyConditionExpression="#pk = :pk AND begins_with(#sk, :prefix)",
        ConsistentRead=True,
        **more
        | {
            "ExpressionAttributeNames": {"#pk": "pk", "#sk": "sk"}
            | more.get("ExpressionAttributeNames", {}),
            "ExpressionAttributeValues": typed({":pk": pk, ":prefix": prefix})
            | more.get("ExpressionAttributeValues", {}),
        },
    )


def query_all(table: config.Table, pk: str, prefix: str) -> list[Item]:
    """All items of a partition whose sort key begins with `prefix`, in order."""
    items: list[Item] = []
    more: dict[str, Any] = {}
    while True:
        response = query(table, pk, prefix, **more)
        items += map(item_from, response["Items"])
        if "LastEvaluatedKey" not in response:
            return items
        more = {"ExclusiveStartKey": response["LastEvaluatedKey"]}


def query_between(
    pk: str, low: str, high: str, *, forward: bool = True, consistent: bool = True, **more: Any
) -> Iterator[Item]:
    """The items of a partition between two sort keys, both included.

    Pages are read only when the iterator comes to them. `more`: other arguments of the Query; its
    Limit counts for one page.
    """
    if low > high:
        return  # DynamoDB refuses such a Query
    how = {"ScanIndexForward": forward, "ConsistentRead": consistent} | more
    while True:
        response = _query_between(pk, low, high, **how)
        yield from map(item_from, response["Items"])
        if "LastEvaluatedKey" not in response:
            return
        how["ExclusiveStartKey"] = response["LastEvaluatedKey"]


def count_between(pk: str, low: str, high: str, **more: Any) -> dict[str, Any]:
    """The number of items in one page, strongly consistent, as DynamoDB returns it."""
    return _query_between(pk, low, high, ConsistentRead=True, Select="COUNT", **more)


def _query_between(pk: str, low: str, high: str, **more: Any) -> dict[str, Any]:
    names = {"#pk": "pk", "#sk": "sk"} | more.pop("ExpressionAttributeNames", {})
    values = more.pop("ExpressionAttributeValues", {})
    return _read(
        "query",
        TableName=config.table_name("ledger"),
        KeyConditionExpression="#pk = :pk AND #sk BETWEEN :low AND :high",
        ExpressionAttributeNames=names,
        ExpressionAttributeValues=typed({":pk": pk, ":low": low, ":high": high}) | values,
        **more,
    )


def query_due(partition: str, now: int, page: int) -> Iterator[Item]:
    """The keys of what is due at the second `now` in one shard of the index `due`, oldest first.

    An index is eventually consistent: it may miss the newest writes, or show what is past.
    """
    more: dict[str, Any] = {}
    while True:
        response = _read(
            "query",
            TableName=config.table_name("ledger"),
            IndexName="due",
            KeyConditionExpression="#due_pk = :shard AND #due_at <= :now",
            ExpressionAttributeNames={"#due_pk": "due_pk", "#due_at": "due_at"},
            ExpressionAttributeValues=typed({":shard": partition, ":now": now}),
            Limit=page,
            **more,
        )
        yield from map(item_from, response["Items"])
        if "LastEvaluatedKey" not in response:
            return
        more = {"ExclusiveStartKey": response["LastEvaluatedKey"]}


def is_reachable() -> bool:
    """Whether the table `ledger` can be read now."""
    try:
        get(Key("ledger", "HEALTH", "HEALTH"))
    except (ClientError, TemporarilyUnavailable):
        return False
    return True
