"""Items and expressions for `benchmarks.calls`, with the attributes that the product stores."""

import hashlib
import os
import time
import uuid
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

Item = dict[str, Any]

LEDGER, EPHEMERAL, SECRETS = (
    os.environ.get(f"{name}_TABLE", "") for name in ("LEDGER", "EPHEMERAL", "SECRETS")
)
DAY = 86400
CENTS = ("subtotal_cents", "tax_cents", "discount_cents", "total_cents")
ALL_OLD = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}

_serialize, _deserialize = TypeSerializer().serialize, TypeDeserializer().deserialize


def digest(text: str) -> str:
    """The SHA-256 that the product has in its keys."""
    return hashlib.sha256(text.encode()).hexdigest()


def stamp() -> str:
    """The time now, RFC 3339."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime())


def typed(item: Item) -> Item:
    """To DynamoDB's typed form."""
    return {name: _serialize(value) for name, value in item.items()}


def plain(stored: Item) -> Item:
    """From DynamoDB's typed form."""
    return {name: _deserialize(value) for name, value in stored.items()}


def names(*attributes: str) -> Item:
    """The argument for attribute names."""
    return {"ExpressionAttributeNames": {f"#{name}": name for name in attributes}}


def values(**given: object) -> Item:
    """The argument for attribute values."""
    return {"ExpressionAttributeValues": typed({f":{name}": each for name, each in given.items()})}


def put(table: str, item: Item, guard: Item | None = None) -> Item:
    """A put in a transaction. `guard`: its condition."""
    return {"Put": {"TableName": table, "Item": typed(item)} | (guard or {})}


def customer_is_active(customer: str) -> Item:
    """A condition check in a transaction: the customer is not deleted."""
    key = typed({"pk": f"C#{customer}", "sk": "C"})
    guard = {"ConditionExpression": "#state = :active"} | names("state") | values(active="active")
    return {"ConditionCheck": {"TableName": LEDGER, "Key": key} | guard | ALL_OLD}


def key_is_free() -> Item:
    """The condition: no idempotency record, or an expired one."""
    guard = {"ConditionExpression": "attribute_not_exists(#pk) OR #exp <= :now"}
    return guard | names("pk", "exp") | values(now=int(time.time())) | ALL_OLD


def provider_id_is_free(payment_id: str) -> Item:
    """The condition: the provider's id belongs to no other payment."""
    guard = {"ConditionExpression": "attribute_not_exists(#pk) OR #payment_id = :id"}
    return guard | names("pk", "payment_id") | values(id=payment_id) | ALL_OLD


def new_payment(user_id: str, own: Item, new: Item) -> Item:
    """The payment row of a creation, with its active attempt."""
    row, now, at = uuid.uuid4().hex[:26], int(time.time()), stamp()
    payment = {
        "pk": f"P#{row}",
        "sk": "P",
        "id": f"pay_{row}",
        "uid": row,
        "version": 1,
        "sequence": 0,
        "last_hash": "",
        "attempts": 1,
        "writer": "",
        "status": "new",
        **{name: new.get(name) or 0 for name in CENTS},
        "captured_cents": 0,
        "refunded_cents": 0,
        "refundable_cents": 0,
        "currency": new["currency"],
        "provider_id": "stripe",
        "is_open": False,
        "is_disputed": False,
        "user_id": user_id,
        "customer_id": own["customer_id"],
        "provider_customer_id": own["provider_customer_id"],
        "description": new["description"],
        "concept": new["concept"],
        "setup_future_usage": new["setup_future_usage"],
        "capture_method": "automatic",
        "return_url": os.environ["RETURN_URL"],
        "may_redirect": True,
        "metadata": {},
        "due_pk": "D#2",
        "due_at": now + 25,
        "changed_at": at,
        "created_at": at,
        "updated_at": at,
    }
    return payment | {"active_attempt": active_attempt(payment, "create") | {"pending_changes": {}}}


def active_attempt(payment: Item, operation: str) -> Item:
    """The attempt that locks the payment."""
    number, now = (1 if operation == "create" else 2), int(time.time())
    key = f"{payment['uid']}.{number}"
    return {
        "number": number,
        "operation": operation,
        "key": key,
        "total_cents": payment["total_cents"],
        "from_status": payment["status"],
        "request_hash": digest(key),
        "at": now,
        "until": now + 90,
    }


def idempotency_record(user_id: str, key: str, fingerprint: str) -> Item:
    """The record of a client's key while its request runs."""
    return {
        "pk": f"I#U#{user_id}#{digest(key)}",
        "sk": "I",
        "fingerprint": fingerprint,
        "state": "open",
        "declined": False,
        "until": 0,
        "exp": int(time.time()) + DAY,
    }


def timeline_entry(payment: Item, operation: str, status: str) -> Item:
    """The timeline entry of a transition."""
    number = int(payment["sequence"]) + 1
    return {
        "pk": payment["pk"],
        "sk": f"H#{number:010d}",
        "sequence": number,
        "at": stamp(),
        "from_status": payment["status"],
        "to_status": status,
        "cause": "api",
        "operation": operation,
        "attempt": payment["attempts"],
        "request_hash": payment["active_attempt"]["request_hash"],
        "outcome": "done",
        "event": f"payment.{status}",
        "previous_hash": payment["last_hash"],
        "hash": digest(payment["id"]),
    }


def locked(payment: Item, changes: Item) -> Item:
    """The update of T1: take the lock."""
    guard = "#version = :seen AND attribute_not_exists(#active_attempt) AND #status = :status"
    return _update(payment, changes, [], guard, status=payment["status"])


def settled(payment: Item, changes: Item, removed: list[str]) -> Item:
    """The update of T2: write the result and release the lock."""
    at = stamp()
    changes = changes | {"sequence": payment["sequence"] + 1, "last_hash": digest(payment["id"])}
    return _update(
        payment, changes | {"changed_at": at, "updated_at": at}, removed, "#version = :seen"
    )


def _update(payment: Item, changes: Item, removed: list[str], guard: str, **more: object) -> Item:
    changes = changes | {"version": payment["version"] + 1, "writer": uuid.uuid4().hex}
    expression = "SET " + ", ".join(f"#{name} = :to_{name}" for name in changes)
    if removed:
        expression += " REMOVE " + ", ".join(f"#{name}" for name in removed)
    bound = {f"to_{name}": value for name, value in changes.items()}
    return {
        "Update": {
            "TableName": LEDGER,
            "Key": typed({"pk": payment["pk"], "sk": payment["sk"]}),
            "UpdateExpression": expression,
            "ConditionExpression": guard,
        }
        | names(*changes, *removed, *more)
        | values(seen=payment["version"], **bound, **more)
        | ALL_OLD
    }
