"""The one client of DynamoDB: reads, guarded writes, transactions.

Source: design/data-model.md section 9, design/convergence.md section 4.
"""

import gc
import random
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from threading import Lock
from types import MappingProxyType
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from bridge import config
from bridge.errors import TemporarilyUnavailable
from bridge.store.keys import Key

Item = dict[str, Any]
Prefetched = Mapping[Key, Item | None]
Actions = dict[str, dict[str, Any]]  # of one transaction, by names that a failure is told by

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
WHOLE = 10**18  # from here on no caller's number was an integer (contracts/bridge.md, B3)

_making = Lock()


class VersionConflict(Exception):
    """The item changed since it was read: what we know is older than what is stored."""


class ConditionFailed(Exception):
    """A condition did not hold. `items`: by the name of the action, what is stored instead."""

    def __init__(self, items: dict[str, Item]) -> None:
        super().__init__(", ".join(items))
        self.items = items


class Throttled(TemporarilyUnavailable):
    """DynamoDB would not take the write, for conflicts or throttling, after our tries."""

    def __init__(self) -> None:
        super().__init__("the store is busy", retry_after=1)


@cache
def client() -> Any:
    """One per process. Source: data-model.md 9 for the numbers."""
    with _making:  # boto3's default session is not safe to make two at once
        return _make()


def _make() -> Any:
    made = boto3.client(
        "dynamodb",
        endpoint_url=config.setting("DYNAMODB_ENDPOINT") or None,
        config=Config(
            retries={"mode": "standard", "total_max_attempts": 3},
            connect_timeout=1,
            read_timeout=2,
            tcp_keepalive=True,
            max_pool_connections=50,
        ),
    )
    gc.freeze()  # what is loaded by now stays, so no collection looks at it again
    gc.set_threshold(*config.COLLECT_EVERY)
    return made


def _ask(operation: str, **arguments: Any) -> dict[str, Any]:
    """One request. Raises TemporarilyUnavailable where DynamoDB cannot be reached or is failing."""
    try:
        return getattr(client(), operation)(**arguments)
    except BotoCoreError as error:
        raise TemporarilyUnavailable("the store cannot be reached", retry_after=1) from error
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
            raise TemporarilyUnavailable("the store is failing", retry_after=1) from error
        raise


def _read(operation: str, **arguments: Any) -> dict[str, Any]:
    """The same, and TemporarilyUnavailable also where DynamoDB throttles us."""
    try:
        return _ask(operation, **arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] in TRANSIENT:
            raise Throttled from error
        raise


def typed(values: Mapping[str, Any]) -> dict[str, Any]:
    """As DynamoDB takes it: `{"a": 1}` gives `{"a": {"N": "1"}}`; None is absent."""
    return {name: _typed(value) for name, value in values.items() if value is not None}


def _typed(value: Any) -> dict[str, Any]:
    """Floats exact as printed, times as RFC 3339. boto3's serializer takes five times as long."""
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
        return whole  # nearly all of them
    value = Decimal(text)
    is_whole = value == value.to_integral_value() and abs(value) < WHOLE
    return int(value) if is_whole else float(value)


def key_of(key: Key) -> dict[str, Any]:
    return {"pk": {"S": key.pk}, "sk": {"S": key.sk}}


def get(key: Key) -> Item | None:
    """One item, strongly consistent."""
    response = _read(
        "get_item", TableName=config.table_name(key.table), Key=key_of(key), ConsistentRead=True
    )
    return item_from(response["Item"]) if "Item" in response else None


def get_all(
    keys: Iterable[Key], prefetched: Prefetched = NOTHING_PREFETCHED
) -> dict[Key, Item | None]:
    """Every key with its item or None: what `ahead` does not hold is read, strongly consistent."""
    requested = dict.fromkeys(keys)
    found: dict[Key, Item | None] = {key: prefetched.get(key) for key in requested}
    missing = [key for key in requested if key not in prefetched]
    for start in range(0, len(missing), BATCH):
        found |= _batch_get(missing[start : start + BATCH])
    return found


def _batch_get(keys: list[Key]) -> dict[Key, Item]:
    names = {config.table_name(key.table): key.table for key in keys}
    requested: dict[str, Any] = {name: {"Keys": [], "ConsistentRead": True} for name in names}
    for key in keys:
        requested[config.table_name(key.table)]["Keys"].append(key_of(key))
    found: dict[Key, Item] = {}
    for _ in range(BATCH):  # what DynamoDB left unread is asked for again
        response = _read("batch_get_item", RequestItems=requested)
        for name, items in response["Responses"].items():
            for item in map(item_from, items):
                found[Key(names[name], item["pk"], item["sk"])] = item
        if not (requested := response.get("UnprocessedKeys", {})):
            return found
        time.sleep(random.uniform(0.02, 0.1))
    raise Throttled


def condition(expression: str, **values: Any) -> dict[str, Any]:
    """The arguments of a condition; every `#name` in it stands for the attribute `name`."""
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
    """An action that writes the whole item."""
    stored = typed(item) | key_of(key)
    return {"Put": {"TableName": config.table_name(key.table), "Item": stored} | (guard or {})}


def change(key: Key, before: Item, after: Item, guard: dict[str, Any]) -> dict[str, Any]:
    """An action that writes only what differs, so attributes of a newer release survive."""
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
    """In metadata True is not 1, though Python says that they are equal."""
    return value != before or (isinstance(value, dict) and repr(value) != repr(before))


def add(key: Key, amount: int) -> dict[str, Any]:
    """An action that counts."""
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
    """An action that writes attributes nobody has written before it, and counts others up."""
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
    return {
        "Delete": {"TableName": config.table_name(key.table), "Key": key_of(key)} | (guard or {})
    }


def check(key: Key, guard: dict[str, Any]) -> dict[str, Any]:
    return {
        "ConditionCheck": {"TableName": config.table_name(key.table), "Key": key_of(key)} | guard
    }


def transact(actions: Actions) -> None:
    """All of the named actions or none.

    Raises Lost with the names whose condition failed, Congested when conflicts or throttling
    outlast our tries. The token makes a repeat by the SDK or by us the same transaction.
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


def write(action: dict[str, Any]) -> None:
    """One guarded action by itself. Raises Lost or Congested, as `transact` does."""
    ((kind, arguments),) = action.items()
    call = {"Put": "put_item", "Update": "update_item", "Delete": "delete_item"}[kind]
    try:
        _ask(call, **arguments)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "ConditionalCheckFailedException":
            raise ConditionFailed({"it": item_from(error.response.get("Item", {}))}) from error
        if code in TRANSIENT:
            raise Throttled from error
        raise


def query(table: config.Table, pk: str, prefix: str, **more: Any) -> dict[str, Any]:
    """One page of a partition, strongly consistent, as DynamoDB answers it."""
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
    """Every item of a partition whose sort key begins so, in its order."""
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
    """The items of a partition between two sort keys, both included, page by page as they are
    asked for. `more`: of the Query; its Limit is of a page."""
    if low > high:
        return  # DynamoDB would refuse the question
    how = {"ScanIndexForward": forward, "ConsistentRead": consistent} | more
    while True:
        response = _query_between(pk, low, high, **how)
        yield from map(item_from, response["Items"])
        if "LastEvaluatedKey" not in response:
            return
        how["ExclusiveStartKey"] = response["LastEvaluatedKey"]


def count_between(pk: str, low: str, high: str, **more: Any) -> dict[str, Any]:
    """How many there are in one page, strongly consistent, as DynamoDB answers it."""
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
    """Keys of what is due in one shard of the sparse index, oldest first; eventually consistent."""
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
    """Whether a read of the ledger comes back."""
    try:
        get(Key("ledger", "HEALTH", "HEALTH"))
    except (ClientError, TemporarilyUnavailable):
        return False
    return True
