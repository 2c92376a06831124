"""Idempotency records, in the `ephemeral` table. Source: design/convergence.md 4 and 5."""

from contextlib import suppress
from typing import Any

from bridge.models.idempotency import IdempotencyRecord
from bridge.models.identifier import suffix
from bridge.store import dynamodb, keys
from bridge.store.dynamodb import Item
from bridge.store.keys import Key

LIFE_S = 24 * 3600


class KeyTaken(Exception):
    """The client's key has a record already."""

    def __init__(self, record: IdempotencyRecord) -> None:
        super().__init__(record.subject_id)
        self.record = record


def of_payment(payment_id: str, client_key: str) -> str:
    """The record's own key, for a call on a payment."""
    return keys.record(suffix(payment_id), client_key).pk


def of_creation(client_key: str, *, user_id: str | None, email: str | None) -> str:
    """The scope is the caller: a user, or a guest by the hash of the folded e-mail."""
    scope = f"U#{user_id}" if user_id else keys.guest(email or "")
    return keys.record(scope, client_key).pk


def of_organization(organization_id: str, client_key: str) -> str:
    """The scope is the organization, whichever of its keys is used."""
    return keys.record(f"O#{organization_id}", client_key).pk


def record_from(item: Item | None, now: int) -> IdempotencyRecord | None:
    """The record, unless it has expired: the table's own sweep is late by days."""
    if item is None or item["exp"] <= now:
        return None
    return IdempotencyRecord.model_validate(item | {"key": item["pk"], "expires": item["exp"]})


def place(key: str) -> Key:
    return Key("ephemeral", key, "I")


def get(key: str, now: int) -> IdempotencyRecord | None:
    return record_from(dynamodb.get(place(key)), now)


def _item(record: IdempotencyRecord) -> Item:
    return record.model_dump(exclude={"key", "expires"}) | {"exp": record.expires}


def taken(item: Item) -> KeyTaken:
    """The error for a key whose record a failed condition gave back."""
    return KeyTaken(
        IdempotencyRecord.model_validate(item | {"key": item["pk"], "expires": item["exp"]})
    )


def reserve(record: IdempotencyRecord, now: int) -> None:
    """Open a record by itself, or take over one whose request is over. Raises KeyTaken."""
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
            raise stored from failed  # otherwise it is ours: the SDK had repeated it


def release(record: IdempotencyRecord) -> None:
    """Let the next request with this key take the open record over at once."""
    key = place(record.key)
    guard = dynamodb.condition("#state = :open AND #until = :mine", open="open", mine=record.until)
    with suppress(dynamodb.ConditionFailed):  # somebody has taken it over already
        dynamodb.write(dynamodb.put(key, _item(record.model_copy(update={"until": 0})), guard))


def close(record: IdempotencyRecord) -> None:
    """Write the answer of a record by itself. Raises Congested."""
    dynamodb.write(close_action(record))


def open_action(record: IdempotencyRecord, now: int) -> dict[str, Any]:
    guard = dynamodb.condition("attribute_not_exists(#pk) OR #exp <= :now", now=now)
    return dynamodb.put(place(record.key), _item(record), guard)


def close_action(record: IdempotencyRecord) -> dict[str, Any]:
    key = place(record.key)
    return dynamodb.delete(key) if record.state == "free" else dynamodb.put(key, _item(record))
