"""Idempotency records, in the table `ephemeral`.

A record of a payment's call is opened in T1 and closed in T2 (payment_writes). A record of a
creation that takes no payment lock is written by itself: reserved, closed, released.

Source: docs/payment-correctness.md, sections 4 and 5; docs/data-model.md, section 2.
"""

from contextlib import suppress
from typing import Any

import msgspec
from msgspec.structs import replace

from bridge.models.idempotency import IdempotencyRecord
from bridge.models.identifier import suffix
from bridge.models.model import values_of
from bridge.store import dynamodb, keys
from bridge.store.dynamodb import Item
from bridge.store.keys import Key

LIFE_S = 24 * 3600


class KeyTaken(Exception):
    """The client's key has a record already; it is in `record`."""

    def __init__(self, record: IdempotencyRecord) -> None:
        super().__init__(record.subject_id)
        self.record = record


def of_payment(payment_id: str, client_key: str) -> str:
    """The key of the record for a call on a payment: its scope is the payment."""
    return keys.record(suffix(payment_id), client_key).pk


def of_creation(client_key: str, *, user_id: str | None, email: str | None) -> str:
    """The key of the record for a creation. Its scope is the user, else the guest's e-mail."""
    scope = f"U#{user_id}" if user_id else keys.guest(email or "")
    return keys.record(scope, client_key).pk


def of_organization(organization_id: str, client_key: str) -> str:
    """The key of the record for a creation with any credential of an organization."""
    return keys.record(f"O#{organization_id}", client_key).pk


def record_from(item: Item | None, now: int) -> IdempotencyRecord | None:
    """The record of an item, or None if it has expired. TTL deletes items days too late."""
    if item is None or item["exp"] <= now:
        return None
    return _record(item)


def _record(item: Item) -> IdempotencyRecord:
    return msgspec.convert(item | {"key": item["pk"], "expires": item["exp"]}, IdempotencyRecord)


def place(key: str) -> Key:
    """Where the record with this key is stored."""
    return Key("ephemeral", key, "I")


def get(key: str, now: int) -> IdempotencyRecord | None:
    """The record with this key, if there is one and it has not expired. `now` is in seconds."""
    return record_from(dynamodb.get(place(key)), now)


def _item(record: IdempotencyRecord) -> Item:
    return values_of(record, "key", "expires") | {"exp": record.expires}


def taken(item: Item) -> KeyTaken:
    """The error for a key that has a record: `item`, as the failed condition returned it."""
    return KeyTaken(_record(item))


def reserve(record: IdempotencyRecord, now: int) -> None:
    """Open a record by itself, for a creation that takes no payment lock.

    It overwrites an expired record. It also overwrites an open record of the same request if the
    run of that request is over. Raises KeyTaken, Throttled.
    """
    guard = dynamodb.condition(
        "attribute_not_exists(#pk) OR #exp <= :now OR "
        "( #state = :open AND #until <= :now AND #fingerprint = :same AND #subject_id = :it )",
        now=now,
        open="open",
        same=record.fingerprint,
        it=record.subject_id,
    )
    try:
        dynamodb.write(dynamodb.put(place(record.key), _item(record), guard))
    except dynamodb.ConditionFailed as failed:
        stored = taken(failed.items["it"])
        if stored.record != record:
            raise stored from failed  # else it is our own: the SDK has repeated our write


def release(record: IdempotencyRecord) -> None:
    """Let the next request with this key take over the open record at once."""
    key = place(record.key)
    guard = dynamodb.condition("#state = :open AND #until = :mine", open="open", mine=record.until)
    with suppress(dynamodb.ConditionFailed):  # another request has taken it over already
        dynamodb.write(dynamodb.put(key, _item(replace(record, until=0)), guard))


def close(record: IdempotencyRecord) -> None:
    """Write a record with its response by itself. Raises Throttled."""
    dynamodb.write(close_action(record))


def open_action(record: IdempotencyRecord, now: int) -> dict[str, Any]:
    """The action of T1 that opens a record, if the key has none that is still valid."""
    guard = dynamodb.condition("attribute_not_exists(#pk) OR #exp <= :now", now=now)
    return dynamodb.put(place(record.key), _item(record), guard)


def close_action(record: IdempotencyRecord) -> dict[str, Any]:
    """The action of T2 that stores the response, or deletes the record if its state is `free`.

    It has no condition: in T2 the condition on the payment's version guards it.
    """
    key = place(record.key)
    return dynamodb.delete(key) if record.state == "free" else dynamodb.put(key, _item(record))
