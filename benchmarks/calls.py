"""The SDK calls of five endpoints without our code. Both comparisons use them.

The operations, keys, conditions and item sizes are those of the product; `benchmarks.cpu` checks
it. Nothing here validates, logs, or survives a crash.
"""

import json
import os
import time
import uuid
from functools import cache
from typing import Any

import boto3

from benchmarks import rows
from benchmarks.rows import (
    ALL_OLD,
    DAY,
    EPHEMERAL,
    LEDGER,
    SECRETS,
    Item,
    digest,
    names,
    plain,
    typed,
    values,
)

FRESH = {"ConditionExpression": "attribute_not_exists(#pk)"} | names("pk") | ALL_OLD

client = boto3.client("dynamodb")


@cache
def stripe_client() -> Any:
    """The client of the Stripe SDK, made on first use."""
    import stripe  # as in the product: functions that only read never import it

    path = os.environ["SECRETS_PREFIX"] + "/STRIPE_SECRET_KEY"
    found = boto3.client("ssm").get_parameter(Name=path, WithDecryption=True)
    return stripe.StripeClient(
        found["Parameter"]["Value"], base_addresses={"api": os.environ["STRIPE_BASE_URL"]}
    )


def get_payment(session_id: str, payment_id: str) -> Item:
    """Read a payment and its client secret."""
    row, secret = f"P#{payment_id[4:]}", f"CS#{payment_id[4:]}"
    found = _read(_session(session_id), (LEDGER, row, "P"), (SECRETS, secret, "CS"))
    payment = found[row]
    assert payment["user_id"] == _user(found, session_id)
    return _public(payment) | {"client_secret": found[secret]["secret"]}


def get_customer(session_id: str, customer_id: str) -> Item:
    """Read a customer."""
    row = f"C#{customer_id[5:]}"
    found = _read(_session(session_id), (LEDGER, row, "C"))
    customer = found[row]
    assert customer["user_id"] == _user(found, session_id)
    return _public(customer)


def list_payments(session_id: str, limit: int) -> list[Item]:
    """Read the newest payments of a user."""
    user_id = _user(_read(_session(session_id)), session_id)
    page = client.query(
        TableName=LEDGER,
        KeyConditionExpression="#pk = :pk AND begins_with(#sk, :prefix)",
        **names("pk", "sk"),
        **values(pk=f"U#{user_id}", prefix="P#"),
        ConsistentRead=True,
        ScanIndexForward=False,
        Limit=limit,
    )
    payment_rows = [f"P#{item['id']['S'][4:]}" for item in page["Items"]]
    found = _read(*((LEDGER, row, "P") for row in payment_rows))
    return [_public(found[row]) for row in payment_rows]


def create_payment(session_id: str, new: Item, key: str) -> Item:
    """Create a payment: T1, the call to Stripe, T2."""
    user_id = _user(_read(_session(session_id)), session_id)
    record = rows.idempotency_record(user_id, key, digest(json.dumps(new)))
    record_key = typed({"pk": record["pk"], "sk": record["sk"]})
    assert "Item" not in client.get_item(TableName=EPHEMERAL, Key=record_key, ConsistentRead=True)
    own = client.query(
        TableName=LEDGER,
        KeyConditionExpression="#pk = :pk AND #sk BETWEEN :low AND :high",
        **names("pk", "sk"),
        **values(pk=f"U#{user_id}", low="AUTO#", high="C$"),
        ConsistentRead=True,
        Limit=50,
    )["Items"]
    automatic = plain(next(each for each in own if each["sk"]["S"] == "AUTO#stripe"))
    payment, customer = rows.new_payment(user_id, automatic, new), automatic["customer_id"][5:]
    record |= {"subject_id": payment["id"]}
    params: Any = {
        "amount": payment["total_cents"],
        "currency": payment["currency"].lower(),
        "customer": payment["provider_customer_id"],
        "description": payment["description"],
        "setup_future_usage": payment["setup_future_usage"],
        "automatic_payment_methods": {"enabled": True},
        "metadata": {"payment_id": payment["id"]},
        "expand": ["latest_charge"],
    }
    payment["active_attempt"] |= {
        "sent": json.dumps(params),
        "client_key": {
            "record": record["pk"],
            "fingerprint": record["fingerprint"],
            "expires": record["exp"],
        },
    }
    pointer = {"id": payment["id"], "provider_id": "stripe", "sk": f"P#{payment['uid']}"}
    _transact(
        rows.put(LEDGER, payment, FRESH),
        rows.put(LEDGER, pointer | {"pk": f"U#{user_id}"}),
        rows.put(LEDGER, pointer | {"pk": f"C#{customer}#P"}),
        rows.customer_is_active(customer),
        rows.put(EPHEMERAL, record, rows.key_is_free()),
    )
    intent = stripe_client().v1.payment_intents.create(
        params=params, options={"idempotency_key": payment["active_attempt"]["key"]}
    )
    changes = {"status": "created", "provider_payment_id": intent.id, "is_open": True}
    settled = _public(payment | changes)
    known = {"pk": f"PP#stripe#{intent.id}", "sk": "PP", "payment_id": payment["id"]}
    secret = {"secret": intent.client_secret, "exp": int(time.time()) + DAY}
    _transact(
        rows.settled(payment, changes | {"due_at": int(time.time()) + 60}, ["active_attempt"]),
        rows.put(LEDGER, rows.timeline_entry(payment, "create", "created"), FRESH),
        rows.put(EPHEMERAL, record | {"state": "done", "snapshot": json.dumps(settled)}),
        rows.put(LEDGER, known, rows.provider_id_is_free(payment["id"])),
        rows.put(SECRETS, secret | {"pk": f"CS#{payment['uid']}", "sk": "CS"}),
    )
    return settled | {"client_secret": intent.client_secret}


def confirm_payment(session_id: str, payment_id: str, method_id: str) -> Item:
    """Confirm a payment: T1, the call to Stripe, T2."""
    row, secret = f"P#{payment_id[4:]}", f"CS#{payment_id[4:]}"
    found = _read(_session(session_id), (LEDGER, row, "P"), (SECRETS, secret, "CS"))
    payment = found[row]
    assert payment["user_id"] == _user(found, session_id)
    method = method_id.removeprefix("pm_")
    _read((LEDGER, f"M#{method}", "I"), (SECRETS, f"PT#{method}", "PT"))
    attempt = rows.active_attempt(payment, "confirm") | {
        "pending_changes": {"payment_method_id": method_id}
    }
    lock = {"active_attempt": attempt, "attempts": 2, "due_at": int(time.time()) + 25}
    _transact(rows.locked(payment, lock))
    payment |= lock | {"version": payment["version"] + 1}
    intent = stripe_client().v1.payment_intents.confirm(
        payment["provider_payment_id"],
        params={
            "payment_method": method_id,
            "return_url": payment["return_url"],
            "expand": ["latest_charge"],
        },
        options={"idempotency_key": attempt["key"]},
    )
    changes = {
        "status": intent.status,
        "captured_cents": intent.amount_received,
        "refundable_cents": intent.amount_received,
        "charge_id": intent.latest_charge.id,
        "is_open": False,
        "payment_method_id": method_id,
        "completed_at": rows.stamp(),
    }
    _transact(
        rows.settled(payment, changes, ["active_attempt", "due_at", "due_pk"]),
        rows.put(LEDGER, rows.timeline_entry(payment, "confirm", intent.status), FRESH),
        {"Delete": {"TableName": SECRETS, "Key": typed({"pk": secret, "sk": "CS"})}},
    )
    return _public(payment | changes)


def _session(session_id: str) -> tuple[str, str, str]:
    return SECRETS, f"SE#{digest(session_id)}", "SE"


def _read(*keys: tuple[str, str, str]) -> dict[str, Item]:
    """Read one consistent batch of (table, pk, sk). Returns the items by their pk."""
    batch: dict[str, Any] = {}
    for table, pk, sk in keys:
        table_keys = batch.setdefault(table, {"Keys": [], "ConsistentRead": True})
        table_keys["Keys"].append({"pk": {"S": pk}, "sk": {"S": sk}})
    found = client.batch_get_item(RequestItems=batch)["Responses"]
    return {item["pk"]["S"]: plain(item) for items in found.values() for item in items}


def _user(found: dict[str, Item], session_id: str) -> str:
    session = found[_session(session_id)[1]]
    assert session["exp"] > time.time()
    return str(session["user_id"])


def _public(item: Item) -> Item:
    hidden = (
        "pk",
        "sk",
        "active_attempt",
        "writer",
        "version",
        "last_hash",
        "due_pk",
        "due_at",
    )
    return {name: item[name] for name in item if name not in hidden}


def _transact(*actions: Item) -> None:
    token = str(uuid.uuid4())
    client.transact_write_items(TransactItems=list(actions), ClientRequestToken=token)
